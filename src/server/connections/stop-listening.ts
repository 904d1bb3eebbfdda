import { Server } from "node:net";
import type { NodeServer } from "../node-server.ts";
import { listenersBeside } from "./listen-beside.ts";

/**
 * Stops accepting connections. Resolves once those that are open have closed. Not by the server's own `close()`, which takes a connection for idle as soon
 * as the handler has ended its response, and cuts off what of the response is not yet sent.
 */
export async function stopListening(server: NodeServer): Promise<void> {
  await Promise.all([server, ...listenersBeside(server)].map(stopOne));
}

function stopOne(server: NodeServer): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => void Server.prototype.close.call(server, () => resolve()));
}
