import type { Buffer } from "node:buffer";
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import type { UndiciRequest } from "../undici/undici.ts";
import { requestHead } from "./request-head.ts";
import { ConnectionLost, cancelled, FLAG_END_STREAM, GivenUp, NO_ERROR, REFUSED_STREAM, streamErrorOf } from "./stream-errors.ts";
import { isOnePiece, upload, uploadPiece } from "./upload.ts";

/** The type of a HEADERS frame (RFC 9113 §6.2). */
const headersFrame = 1;

/** The connection of an exchange, as the exchange uses it. */
export interface StreamOwner {
  readonly session: ClientHttp2Session;
  readonly bytesRead: number;
  /** It has closed: what is under way on it fails with it. */
  readonly isLost: boolean;
  now(): number;
  /** Takes no more requests, and closes when those under way have ended. */
  retire(): void;
  /** `isCut`: before its request was sent or its response had come. */
  streamClosed(exchange: Http2Exchange, isCut: boolean): void;
  streamSucceeded(): void;
  /** A stream was reset with this code, by the peer or by Node. */
  streamFailed(code: number): void;
  /** A request was given up before its end. */
  givenUp(exchange: Http2Exchange): void;
}

/** One request on a stream of a connection, and its response. */
export class Http2Exchange {
  /** Bytes that the connection had read when the request began. */
  readonly readBefore: number;
  readonly startedAt: number;
  readonly #request: UndiciRequest;
  readonly #connection: StreamOwner;
  readonly #wantsInformation: boolean;
  #stream: ClientHttp2Stream | undefined = undefined;
  /** Bytes of the response's content that its head announces; `undefined`: it does not. */
  #length: number | undefined = undefined;
  #received = 0;
  /** The peer has ended the response, rather than its stream (END_STREAM). */
  #isWhole = false;
  #hasHead = false;
  #trailers: object = {};

  /** @param wantsInformation whether the request is told of informational responses */
  constructor(request: UndiciRequest, connection: StreamOwner, wantsInformation = false) {
    this.readBefore = connection.bytesRead;
    this.startedAt = connection.now();
    this.#request = request;
    this.#connection = connection;
    this.#wantsInformation = wantsInformation;
  }

  /** The id of the stream, once the peer has been told of it. */
  get streamId(): number | undefined {
    return this.#stream?.id;
  }

  /** Opens the stream, unless the request has been given up. Returns whether there is one now. */
  start(scheme: string, authority: string): boolean {
    const request = this.#request;
    try {
      request.onConnect(this.#abort);
    } catch (error) {
      request.onError(error as Error);
    }
    if (request.aborted) return false;
    try {
      const isEmpty = request.body === null;
      const stream = this.#connection.session.request(requestHead(request, scheme, authority), { endStream: isEmpty });
      this.#stream = stream;
      this.#listen(stream);
      if (isEmpty) request.onRequestSent();
      else if (isOnePiece(request.body)) uploadPiece(stream, request, request.body);
      else upload(stream, request).catch(this.#fail);
    } catch (cause) {
      // Node has sent nothing: the head is refused, or the session takes no more streams.
      if (cause instanceof TypeError) request.onError(new InvalidHead(cause));
      else {
        this.#connection.retire();
        request.onError(streamErrorOf(REFUSED_STREAM));
      }
    }
    return this.#stream !== undefined;
  }

  /** Fails the request: with REFUSED_STREAM it was not executed. */
  readonly #fail = (error: Error): void => {
    const { aborted, completed } = this.#request;
    if (!aborted && !completed) this.#request.onError(error);
    this.#stream?.destroy(cancelled());
  };

  /** Fails a request that the peer has not taken (RFC 9113 §8.7). */
  refuse(): void {
    this.#fail(streamErrorOf(REFUSED_STREAM));
  }

  /** The sender gives the request up. */
  readonly #abort = (reason?: Error | null): void => {
    const { aborted, completed } = this.#request;
    if (aborted || completed) return;
    this.#fail(reason ?? new GivenUp());
    this.#connection.givenUp(this);
  };

  #listen(stream: ClientHttp2Stream): void {
    const push = stream.push;
    // An end that the peer has announced comes before the stream is closed; the end that Node makes of a reset, after.
    stream.push = (chunk, encoding) => {
      if (chunk === null && !stream.closed) this.#isWhole = true;
      return push.call(stream, chunk, encoding);
    };
    stream.once("response", (headers, flags, raw?: string[]) => this.#head(stream, headers, flags, raw ?? []));
    if (this.#wantsInformation) stream.on("headers", (headers, _flags, raw?: string[]) => this.#information(headers, raw ?? []));
    stream.on("data", (chunk: Buffer) => this.#data(stream, chunk));
    stream.once("trailers", (trailers) => {
      this.#trailers = trailers;
    });
    stream.once("end", () => this.#end(stream));
    stream.on("error", (error) => {
      if (error !== cancelled()) this.#connection.streamFailed(stream.rstCode ?? 0);
      this.#fail(error);
    });
    // The head waited for the peer's limit of streams, and the session has closed meanwhile.
    stream.once("frameError", (type, code) => {
      const isRefused = type === headersFrame && this.#connection.session.closed;
      this.#fail(isRefused ? streamErrorOf(REFUSED_STREAM) : new ConnectionLost(`frame error ${code} of a frame of type ${type}`));
    });
    stream.once("close", () => {
      // Nearly every request is complete by now, and an error with its stack costs a twentieth of one.
      if (!this.#request.aborted && !this.#request.completed)
        this.#fail(this.#connection.isLost ? new ConnectionLost() : streamErrorOf(stream.rstCode));
      this.#connection.streamClosed(this, !this.#request.completed || !stream.writableFinished);
    });
  }

  #head(stream: ClientHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: string[]): void {
    const request = this.#request;
    if (request.aborted || request.completed) return;
    this.#hasHead = true;
    const status = Number(headers[":status"]);
    const length = headers["content-length"];
    if (length !== undefined) this.#length = Number(length);
    // These have no content, whatever their head says (RFC 9110 §6.4.1, §8.6).
    if (request.method === "HEAD" || status === 204 || status === 304) this.#length = 0;
    if ((flags & FLAG_END_STREAM) !== 0) this.#isWhole = true;
    request.onResponseStarted();
    const goesOn = request.onHeaders(status, rawHeaders(headers, raw) as never, () => stream.resume(), "");
    if (goesOn === false) stream.pause();
  }

  /** An informational response. A 100 tells nothing: it was not asked for. */
  #information(headers: IncomingHttpHeaders, raw: string[]): void {
    const request = this.#request;
    const status = Number(headers[":status"]);
    if (request.aborted || request.completed || status === 100) return;
    request.onHeaders(status, rawHeaders(headers, raw) as never, () => {}, "");
  }

  #data(stream: ClientHttp2Stream, chunk: Buffer): void {
    const request = this.#request;
    if (request.aborted || request.completed) return;
    this.#received += chunk.byteLength;
    if (request.onData(chunk) === false) stream.pause();
  }

  #end(stream: ClientHttp2Stream): void {
    const request = this.#request;
    if (request.aborted || request.completed) return;
    // A reset without an error says that no more of the request is needed (RFC 9113 §8.1): the response is whole when its length is met.
    const isWhole = this.#isWhole || (stream.rstCode === NO_ERROR && this.#received === this.#length);
    if (!this.#hasHead || !isWhole) {
      this.#fail(streamErrorOf(stream.rstCode));
      return;
    }
    this.#connection.streamSucceeded();
    request.onComplete(this.#trailers);
    // The rest of a request that has been answered is not sent.
    if (!stream.writableEnded) stream.destroy(cancelled());
  }
}

/** Names and values in turn. Node has decoded them as Latin-1. */
function rawHeaders(headers: IncomingHttpHeaders, raw: readonly string[]): string[] {
  const all =
    raw.length > 0 ? raw : Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((each) => [name, String(each)]));
  const result: string[] = [];
  for (let index = 0; index < all.length; index += 2) {
    const name = all[index] as string;
    if (name.charCodeAt(0) !== 58) result.push(name, all[index + 1] as string);
  }
  return result;
}

class InvalidHead extends Error {
  /** The code that undici uses. */
  readonly code = "UND_ERR_INVALID_ARG";

  constructor(cause: TypeError) {
    super(cause.message, { cause });
  }
}
