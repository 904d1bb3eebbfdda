import type { Server, Socket } from "node:net";
import { networkOf } from "../../server/inbound/networks.ts";

/** Closes connections of a client that has too many. */
export function limitClients(server: Server, max: number): void {
  const open = new Map<string, number>();
  server.prependListener("connection", (socket: Socket) => {
    const client = networkOf(socket.remoteAddress);
    if (client === undefined) return;
    const count = (open.get(client) ?? 0) + 1;
    if (count > max) {
      socket.destroy();
      return;
    }
    open.set(client, count);
    socket.once("close", () => {
      const left = (open.get(client) ?? 1) - 1;
      if (left === 0) open.delete(client);
      else open.set(client, left);
    });
  });
}
