import type { Socket } from "node:net";

/**
 * Set while the listeners of a connection hear that it was reset. undici takes a reset for the end of a response whose body ends with its
 * connection (no `content-length`, not chunked; RFC 9112 §6.3) and says so inside its own listener: without this a body that was cut off
 * would pass for a whole one.
 */
export const cutOff: { by: Error | undefined } = { by: undefined };

/** Watches a connection from before undici has it, so that these listeners are called first. */
export function noticeResets(socket: Socket): void {
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNRESET") notice(error);
  });
  socket.on("end", () => {
    if (isReset(socket)) notice(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" }));
  });
}

function notice(error: Error): void {
  cutOff.by = error;
  // All listeners of one event run before the next microtask: nobody else's response can be meant.
  queueMicrotask(() => {
    cutOff.by = undefined;
  });
}

/**
 * Whether a connection that seems to have ended was reset. Node 22 makes an end of a reset that it meets together with the last bytes, as
 * it does when this process was busy in between (libuv reports a hang-up after a partial read as the end). The kernel knows better: a
 * connection that the peer has closed still has a peer, one that was reset has none. What is no TCP connection has neither address.
 */
function isReset(socket: Socket): boolean {
  return socket.localPort !== undefined && socket.remotePort === undefined;
}
