import type { NodeServer } from "../node-server.ts";

/**
 * Calls `onClose` when something closes the server while it listens: the program, or the framework around it. Node.js tells of that only once the last
 * connection has closed, which may be hours later. Takes the place of the method `close` of this one server; returns the function that gives it back.
 */
export function noticeClose(server: NodeServer, onClose: () => void): () => void {
  const hadOwn = Object.hasOwn(server, "close");
  const former = server.close;
  let isNoticing = true;
  const closing = function (this: NodeServer, ...args: unknown[]): unknown {
    const wasListening = server.listening;
    const result: unknown = Reflect.apply(former, this, args);
    if (isNoticing && wasListening) onClose();
    return result;
  };
  server.close = closing as typeof server.close;
  return () => {
    isNoticing = false;
    // Another tool may have put its own method on top meanwhile.
    if ((server.close as unknown) !== closing) return;
    if (hadOwn) server.close = former;
    else Reflect.deleteProperty(server, "close");
  };
}
