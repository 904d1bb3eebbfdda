import type { Socket } from "node:net";
import type { Clock, Random } from "../../core/clock.ts";
import type { ServerConnectionEvent } from "../../core/observing/events.ts";
import type { Identity } from "../../identity/identity.ts";
import type { NodeServer } from "../node-server.ts";
import type { CallersSettings } from "./callers-options.ts";

/** The fate of a connection, as observers hear it. */
export type EnteredConnection = Pick<ServerConnectionEvent, "peerAddress" | "encryption" | "refusal" | "error">;

/** The parts that an entrance works with. */
export interface EntranceParts {
  readonly server: NodeServer;
  readonly identity: Identity;
  readonly settings: CallersSettings;
  readonly clock: Clock;
  readonly random: Random;
  /** Lets an HTTP/1.1 connection close after what it does now and its next response. */
  readonly retire: (socket: Socket) => void;
  /** Closes an HTTP/1.1 connection on which nothing is under way. */
  readonly endIfAtRest: (socket: Socket) => void;
  readonly log: (text: string) => void;
  /** Tells observers of a connection that was taken or refused; makes nothing while no observer listens. */
  readonly tell: (connection: EnteredConnection) => void;
}
