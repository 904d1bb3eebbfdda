import { type ClientHttp2Session, type ClientHttp2Stream, constants } from "node:http2";
import { Duplex } from "node:stream";

/** The type of a HEADERS frame (RFC 9113 §6.2). */
const headersFrame = 1;

/** The listeners of {@link guardSession}. */
export interface SessionGuard {
  /** The instance takes no new streams on this connection, and goes on with those it has. */
  onGoAway(): void;
}

/**
 * Corrects how an HTTP/2 connection that undici has just begun to use ends its streams (RFC 9113 §5.4.2, §6.8, §8.7):
 * - A GOAWAY without an error ends no response that is under way; undici would cut every stream of the connection off.
 * - A stream above the last one that a GOAWAY names fails as refused, so that it counts as not executed.
 * - A response that a reset cut off is an error, also after the codes CANCEL and NO_ERROR, which Node takes for an end.
 *
 * Does nothing for a connection on which undici speaks HTTP/1.1.
 */
export function guardSession(socket: object, { onGoAway }: SessionGuard): void {
  const session = sessionOf(socket);
  if (session === undefined) return;
  const streams = new Set<ClientHttp2Stream>();
  const request = session.request.bind(session);
  session.request = (...args) => {
    const stream = opened(request, args);
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
    // undici listens for one error. There may be two: one from here and one of the session.
    stream.on("error", () => {});
    failWhenCutOff(stream);
    // The head waited for the peer's limit of streams, and the session has closed meanwhile.
    stream.once("frameError", (type: number) => {
      if (type === headersFrame && session.closed) stream.emit("error", new StreamError("NGHTTP2_REFUSED_STREAM"));
    });
    return stream;
  };
  const cutEverythingOff = session.listeners("goaway");
  session.removeAllListeners("goaway");
  session.on("goaway", (code: number, lastStreamId: number, ...rest: unknown[]) => {
    onGoAway();
    // Node closes the session when the last of its streams has ended, and fails those above the last one named as refused.
    if (code === constants.NGHTTP2_NO_ERROR) return;
    for (const stream of [...streams]) {
      if (stream.id === undefined || stream.id > lastStreamId) stream.emit("error", new StreamError("NGHTTP2_REFUSED_STREAM"));
    }
    for (const listener of cutEverythingOff) listener.call(session, code, lastStreamId, ...rest);
  });
}

/** undici keeps the session of a socket under a symbol. A connection whose session is not found works as with undici alone. */
function sessionOf(socket: object): ClientHttp2Session | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "http2Session");
  const session = symbol && (socket as Record<symbol, unknown>)[symbol];
  return typeof session === "object" && session !== null ? (session as ClientHttp2Session) : undefined;
}

type RequestArguments = Parameters<ClientHttp2Session["request"]>;

function opened(request: ClientHttp2Session["request"], args: RequestArguments): ClientHttp2Stream {
  try {
    return request(...args);
  } catch (error) {
    // Node 22 throws once the session is closing, which undici does not expect; later versions fail the stream.
    return new UnopenedStream(error as Error) as unknown as ClientHttp2Stream;
  }
}

/** Makes a reset an error. An end that the instance has announced comes before the stream is closed; the end that Node makes of a reset, after. */
function failWhenCutOff(stream: ClientHttp2Stream): void {
  const push = stream.push;
  let isWhole = false;
  stream.push = (chunk, encoding) => {
    if (chunk === null && !stream.closed) isWhole = true;
    return push.call(stream, chunk, encoding);
  };
  stream.once("end", () => {
    if (!isWhole)
      stream.emit("error", new StreamError(stream.rstCode === constants.NGHTTP2_CANCEL ? "NGHTTP2_CANCEL" : "NGHTTP2_NO_ERROR"));
  });
}

/** Equal to Node's own error, so that all resets look alike. */
class StreamError extends Error {
  readonly code = "ERR_HTTP2_STREAM_ERROR";

  constructor(name: string) {
    super(`Stream closed with error code ${name}`);
  }
}

/** A stream that fails at once, with the members that undici uses before it learns of the failure. */
class UnopenedStream extends Duplex {
  readonly rstCode = 0;

  constructor(error: Error) {
    super();
    process.nextTick(() => this.destroy(error));
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  setTimeout(): this {
    return this;
  }

  close(): void {}
}
