import type { RequestHeaders } from "./request-headers.ts";
import { type HeaderLines, headerOf } from "./response-headers.ts";

const mediaType = "text/event-stream";

/** Whether a response is a stream of server-sent events, which has no end. Media types are compared without regard to case (RFC 9110 §8.3.1). */
export function isEventStream(response: HeaderLines): boolean {
  return isEventStreamType(headerOf(response, "content-type"));
}

/** Whether a content type is that of an event stream. */
export function isEventStreamType(contentType: string | undefined): boolean {
  return /^text\/event-stream\s*(;|$)/i.test(contentType ?? "");
}

/**
 * Whether the caller has asked for an event stream: `asked` by name (`accept: text/event-stream`); `open` where it takes anything, and shows by
 * how it reads the body; `no` where it has asked for something else. An instance alone cannot take the limits of a call away by a content type.
 */
export function wantsEventStream({ accept }: RequestHeaders): "asked" | "open" | "no" {
  if (accept === undefined || accept.trim() === "*/*") return "open";
  return accept.toLowerCase().includes(mediaType) ? "asked" : "no";
}

/** Whether a response is an event stream that its caller has asked for, by name or by reading it as a stream. */
export function isWantedEventStream(response: HeaderLines, headers: RequestHeaders, isStreamed: boolean): boolean {
  if (!isEventStream(response)) return false;
  const wants = wantsEventStream(headers);
  return wants === "asked" || (wants === "open" && isStreamed);
}
