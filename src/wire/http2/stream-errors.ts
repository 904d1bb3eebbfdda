import { addAbortSignal, Readable } from "node:stream";

/** The error codes of HTTP/2, each at its number (RFC 9113 §7). */
const names = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];

/** Those of the codes that something is decided by, and a flag of frames (RFC 9113 §6.1). To read them of `node:http2` loads it, a tenth of what a first call costs. */
export const NO_ERROR = 0x0;
export const PROTOCOL_ERROR = 0x1;
export const REFUSED_STREAM = 0x7;
export const CANCEL = 0x8;
export const FLAG_END_STREAM = 0x1;

/** The error of a stream that was reset with a code, equal to Node's own, so that all resets look alike. */
export function streamErrorOf(code = 0): Error {
  return new StreamError(`NGHTTP2_${names[code] ?? code}`);
}

class StreamError extends Error {
  readonly code = "ERR_HTTP2_STREAM_ERROR";

  constructor(name: string) {
    super(`Stream closed with error code ${name}`);
  }
}

/** The connection has ended with streams on it. */
export class ConnectionLost extends Error {
  /** The code that undici uses. */
  readonly code = "UND_ERR_SOCKET";

  constructor(why = "other side closed") {
    super(why);
  }
}

/** The error with which a request is told that it was given up. */
export class GivenUp extends Error {
  /** The code that undici uses. */
  readonly code = "UND_ERR_ABORTED";

  constructor() {
    super("Request aborted");
  }
}

/**
 * The error that makes Node send RST_STREAM with CANCEL and nothing else: `stream.close(8)` ends the content first, which the peer takes for
 * the whole, and `stream.destroy()` says that there was no error. Node looks for its own class, of which this is an instance.
 */
export function cancelled(): Error {
  cancellation ??= abortErrorOfNode();
  return cancellation;
}

let cancellation: Error | undefined;

function abortErrorOfNode(): Error {
  const stream = new Readable({ read() {} }).on("error", () => {});
  addAbortSignal(AbortSignal.abort(), stream);
  return stream.errored as Error;
}
