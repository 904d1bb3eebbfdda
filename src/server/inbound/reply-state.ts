import type { ServerReply } from "../node-server.ts";

/** Whether a response whose connection or stream has closed was sent to its end. */
export function isSentWhole(reply: ServerReply): boolean {
  if (!("stream" in reply)) return reply.writableFinished;
  const { stream } = reply;
  return reply.writableEnded && !stream.aborted && stream.rstCode === 0;
}
