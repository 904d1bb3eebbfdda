import { syncBuiltinESMExports } from "node:module";
import tls from "node:tls";
import type { MeshOptions } from "../src/mesh/mesh-options.ts";

/** Options of a client of undici that a mesh has, too. */
interface ClientOptions {
  readonly allowH2?: boolean;
  readonly useH2c?: boolean;
  readonly connections?: number | null;
  readonly connect?: unknown;
  readonly tls?: unknown;
  readonly socketPath?: string;
}

type Pem = string | Uint8Array | readonly (string | Uint8Array)[];

interface ConnectOptions {
  readonly ca?: Pem;
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
  readonly socketPath?: string;
  readonly allowH2?: boolean;
}

/** The options of a mesh that say what those of a client of undici say, as far as both have them. */
export function meshOptionsOf(given: unknown): Pick<MeshOptions, "protocol" | "connections" | "tls"> {
  const options = objectOf(given) as ClientOptions;
  const { ca, cert, key, servername, rejectUnauthorized, allowH2 } = connectOptionsOf(given);
  if (rejectUnauthorized === false) trustAny();
  const { connections } = options;
  return {
    protocol: options.useH2c ? "h2" : options.allowH2 || allowH2 ? "auto" : "h1",
    // The limit of undici for a connection.
    connections: { connectTimeoutMs: 10_000, ...(typeof connections === "number" && connections > 0 && { max: connections }) },
    tls: {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(servername && { serverName: servername }),
    },
  };
}

/** The Unix socket that a client of undici is told to connect to. */
export function socketPathOf(given: unknown): string | undefined {
  return (objectOf(given) as ClientOptions).socketPath ?? connectOptionsOf(given).socketPath;
}

function connectOptionsOf(given: unknown): ConnectOptions {
  const { connect, tls: ofTls } = objectOf(given) as ClientOptions;
  return { ...objectOf(ofTls), ...objectOf(connect) };
}

function objectOf(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

let isTrusting = false;

/** A mesh verifies certificates always. The servers of the suite have certificates without a name, which its clients do not verify. */
function trustAny(): void {
  if (isTrusting) return;
  isTrusting = true;
  const connect = tls.connect as (options: object, ...rest: unknown[]) => unknown;
  Object.assign(tls, { connect: (options: object, ...rest: unknown[]) => connect({ ...options, rejectUnauthorized: false }, ...rest) });
  syncBuiltinESMExports();
}
