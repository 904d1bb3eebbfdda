import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Milliseconds after which a connection whose client is awaited gives way to another one. */
const patienceMs = 1_000;

/**
 * Bounds the connections of a server. A connection too many is refused, and those are closed whose client has let the server wait for a second: for a
 * request, for the rest of one, or until it reads an answer. Clients that hold each connection that there may be keep others out for that second, and not
 * until a request times out.
 */
export function limitConnections(server: Server, most: number): void {
  /** Connections whose next bytes are awaited, with the time since when. */
  const awaited = new Map<Socket, number>();
  const open = new Set<Socket>();
  /** Connections whose client did not read, with the bytes that had gone out by then. */
  const unread = new WeakMap<Socket, { readonly at: number; readonly sent: number }>();
  const awaitClient = (socket: Socket) => {
    if (!socket.destroyed) awaited.set(socket, performance.now());
  };
  /** Whether the client has read nothing since it was looked at a second ago, or earlier. */
  const isUnread = (socket: Socket, now: number): boolean => {
    const sent = socket.bytesWritten - socket.writableLength;
    const before = unread.get(socket);
    if (!socket.writableNeedDrain) unread.delete(socket);
    else if (before === undefined || before.sent !== sent) unread.set(socket, { at: now, sent });
    else return before.at < now - patienceMs;
    return false;
  };
  server.maxConnections = most;
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    awaitClient(socket);
    socket.once("close", () => {
      open.delete(socket);
      awaited.delete(socket);
    });
  });
  server.on("request", (request, response) => {
    const { socket, headers } = request;
    const hasBody = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
    let isAnswered = false;
    if (hasBody) awaitClient(socket);
    else awaited.delete(socket);
    // A request that was not read ends behind its answer.
    request.once("end", () => !isAnswered && awaited.delete(socket));
    response.once("close", () => {
      isAnswered = true;
      awaitClient(socket);
    });
  });
  server.on("drop", () => {
    const now = performance.now();
    for (const socket of open) {
      const isAwaited = (awaited.get(socket) ?? now) < now - patienceMs;
      if (isUnread(socket, now) || isAwaited) socket.destroy();
    }
  });
}
