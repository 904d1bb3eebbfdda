import type { ServerHttp2Stream } from "node:http2";
import { isEventStreamType } from "../../core/http/event-stream.ts";
import type { ServerReply } from "../node-server.ts";

/** The field of an event stream by which the client waits this many milliseconds before it connects again: to another instance by then. */
const retryField = "retry: 200\n\n";

/**
 * Ends an event stream, which would not end by itself: with a `retry:` field, after which its client connects again at once. Handlers
 * write whole events, so the field falls between two of them. Does nothing for another response.
 */
export function endEventStream(reply: ServerReply | ServerHttp2Stream): void {
  if (!reply.headersSent || !reply.writable || reply.writableEnded || !isEventStream(reply)) return;
  const stream = reply as unknown as { write: () => boolean; end: (text?: string) => unknown };
  stream.end(retryField);
  // What its handler goes on to write would be an error of the stream, which ends the process where nothing listens to it.
  stream.write = () => false;
  stream.end = () => stream;
}

function isEventStream(reply: ServerReply | ServerHttp2Stream): boolean {
  const type = "sentHeaders" in reply ? reply.sentHeaders["content-type"] : (reply.getHeader("content-type") ?? writtenType(reply));
  return typeof type === "string" && isEventStreamType(type.trim());
}

/** The content type among headers that were given to `writeHead` at once, which Node keeps only as the text that it sent. */
function writtenType(reply: ServerReply): string | undefined {
  const { _header: head } = reply as { readonly _header?: unknown };
  return typeof head === "string" ? /\r\ncontent-type:([^\r\n]*)/i.exec(head)?.[1] : undefined;
}
