import type { Socket } from "node:net";
import type { Connector } from "./undici.ts";

/**
 * The reset of a connection, while the listeners of that event run. undici takes a reset for the end of a response whose body ends with its
 * connection (no `content-length`, not chunked; RFC 9112 §6.3), and completes the response inside its own listener: without this a truncated
 * body would pass for a whole one.
 */
export const cutOff: { by: Error | undefined } = { by: undefined };

/** A connector whose connections are watched for resets. */
export function noticingResets(connector: Connector): Connector {
  return (target, callback) =>
    connector(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      noticeResets(socket);
      callback(null, socket);
    });
}

/** Watches a connection for resets. It must be called before undici has the connection, so that these listeners run first. */
export function noticeResets(socket: Socket): void {
  // Functions of their own for each connection would be held as long as it is open.
  socket.on("error", noticeError);
  socket.on("end", noticeEnd);
}

function noticeError(error: NodeJS.ErrnoException): void {
  if (error.code === "ECONNRESET") notice(error);
}

function noticeEnd(this: Socket): void {
  if (isReset(this)) notice(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" }));
}

function notice(error: Error): void {
  cutOff.by = error;
  // All listeners of one event run before the next microtask, so no response of another connection sees it.
  queueMicrotask(() => {
    cutOff.by = undefined;
  });
}

/**
 * Whether a connection that seems to have ended was reset. Node 22 reports a reset that arrives together with the last bytes as an end, which
 * happens when this process was busy in between (libuv reports a hang-up after a partial read as the end). The kernel tells them apart: a
 * connection that the peer has closed still has a peer, one that was reset has none. Sockets other than TCP have neither address.
 */
function isReset(socket: Socket): boolean {
  return socket.localPort !== undefined && socket.remotePort === undefined;
}
