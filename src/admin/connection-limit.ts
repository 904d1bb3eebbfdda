import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Milliseconds after which a connection without a request gives way to another one. */
const patienceMs = 1_000;

/**
 * Bounds the connections of a server. A connection too many is refused, and those that have had no request for a second are closed: half a request, sent
 * on each connection that there may be, keeps others out for that second and not until the request times out.
 */
export function limitConnections(server: Server, most: number): void {
  /** Connections without a request, with the time since when. */
  const waiting = new Map<Socket, number>();
  server.maxConnections = most;
  server.on("connection", (socket: Socket) => {
    waiting.set(socket, performance.now());
    socket.once("close", () => waiting.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    waiting.delete(socket);
    response.once("close", () => {
      if (!socket.destroyed) waiting.set(socket, performance.now());
    });
  });
  server.on("drop", () => {
    const since = performance.now() - patienceMs;
    for (const [socket, at] of waiting) if (at < since) socket.destroy();
  });
}
