import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { requireServer } from "./available.ts";
import { connectsTo } from "./nginx.ts";
import { startOnFreePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";

const host = "127.0.0.1";
const program = (): string => join(requireServer("spiffe-peer"), "spiffe-peer");

/** Starts a server on go-spiffe, which has its SVID from the Workload API at `socket` and takes callers with `id` only. */
export const startSpiffeServer = (socket: string, id: string): Promise<ServerProcess & { readonly port: number }> =>
  startPeer((port) => ["serve", port, socket, id]);

/** Sends a GET by go-spiffe to a server with `id`. Resolves with its status and body; rejects with what the client printed. */
export const callBySpiffe = async (socket: string, id: string, url: string): Promise<string> => {
  const { stdout } = await promisify(execFile)(program(), ["call", socket, id, url]);
  return stdout;
};

/** A real go-control-plane with the secrets of a directory. */
export interface SecretServer extends ServerProcess {
  readonly port: number;
  /** Lets it read `certificate.pem`, `key.pem` and `authority.pem` again. */
  renew(): void;
}

/** Starts a server of secrets on go-control-plane, with one of the two kinds of streams. */
export const startSecretServer = async (kind: "state" | "delta", directory: string): Promise<SecretServer> => {
  const server = await startPeer((port) => ["sds", kind, port, directory]);
  return Object.assign(server, { renew: () => void process.kill(server.pid, "SIGHUP") });
};

function startPeer(args: (port: string) => readonly string[]): Promise<ServerProcess & { readonly port: number }> {
  return startOnFreePorts(1, host, async ([port = 0]) => {
    const server = await startProcess({
      name: "spiffe-peer",
      prepare: () => ({ file: program(), args: args(String(port)) }),
      probe: (signal) => connectsTo(port, signal),
    });
    return Object.assign(server, { port });
  });
}
