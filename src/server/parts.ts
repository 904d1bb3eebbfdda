import type { Callers } from "./callers.ts";
import type { Traffic } from "./connections/traffic.ts";
import type { DrainGate } from "./drain-gate.ts";
import type { Inbound } from "./inbound/inbound.ts";
import type { Application, NodeServer } from "./node-server.ts";
import type { Readiness } from "./readiness.ts";
import type { ServeSettings } from "./serve-options.ts";

/** The parts of a server that starting and stopping it work with. */
export interface ServerParts {
  readonly settings: ServeSettings;
  readonly server: NodeServer;
  /** The application around the server, if there is one. */
  readonly application: Application | undefined;
  readonly traffic: Traffic;
  readonly callers: Callers;
  /** The parts that requests meet before their handlers; `undefined` for none. */
  readonly inbound: Inbound | undefined;
  readonly gate: DrainGate;
  readonly readiness: Readiness;
  /** Aborts when the server begins to leave. */
  readonly leaving: AbortSignal;
  /** Writes a line that begins with the name of the server. */
  log(text: string): void;
}
