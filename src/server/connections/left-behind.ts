import type { Socket } from "node:net";
import type { ServerReply, ServerRequest } from "../node-server.ts";

const waitingKey = Symbol("inmesh replies that wait");

interface WithWaiting extends Socket {
  [waitingKey]?: Set<() => void>;
}

/** Whether a response waits for its turn behind others of its connection (pipelining). */
export function isBehindOthers(request: ServerRequest, reply: ServerReply): boolean {
  return !("stream" in request) && reply.socket === null;
}

/**
 * Calls `end` when a connection closes while this response waits behind others of it. Node 22 tells of the end of those responses only that have
 * had their turn: the others would count as under way for ever. Costs nothing for a response whose turn it is. `end` may be called after its own end.
 */
export function ifLeftBehind(request: ServerRequest, reply: ServerReply, end: () => void): void {
  if (!isBehindOthers(request, reply)) return;
  const socket = request.socket as WithWaiting;
  let waiting = socket[waitingKey];
  if (waiting === undefined) {
    const all = new Set<() => void>();
    waiting = all;
    socket[waitingKey] = all;
    // One listener, however many wait.
    socket.once("close", () => {
      for (const each of all) each();
    });
  }
  waiting.add(end);
  const others = waiting;
  (reply as NodeJS.EventEmitter).once("close", () => others.delete(end));
}
