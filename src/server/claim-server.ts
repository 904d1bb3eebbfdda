import type { NodeServer } from "./node-server.ts";

/** The servers that are served. */
const served = new WeakSet<NodeServer>();

/**
 * Takes a server for the one that serves it, until the function that is returned is called. A second one would count, limit and log each request twice, and
 * register the instance twice.
 * @throws TypeError for a server that is served already.
 */
export function claimServer(server: NodeServer): () => void {
  if (served.has(server))
    throw new TypeError(
      "serve: the server is served already; one call of serve, or the plug-in for Fastify, serves a server until it has stopped",
    );
  served.add(server);
  return () => void served.delete(server);
}
