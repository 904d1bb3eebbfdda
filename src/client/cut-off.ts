import type { Socket } from "node:net";

/**
 * Set while the listeners of a connection hear that it was reset. undici takes a reset for the end of a response whose body ends with its
 * connection (no `content-length`, not chunked; RFC 9112 §6.3) and says so inside its own listener: without this a body that was cut off
 * would pass for a whole one.
 */
export const cutOff: { by: Error | undefined } = { by: undefined };

/** Watches a connection from before undici has it, so that this listener is called first. */
export function noticeResets(socket: Socket): void {
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "ECONNRESET") return;
    cutOff.by = error;
    // All listeners of one event run before the next microtask: nobody else's response can be meant.
    queueMicrotask(() => {
      cutOff.by = undefined;
    });
  });
}
