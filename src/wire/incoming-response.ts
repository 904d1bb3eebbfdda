import type { Buffer } from "node:buffer";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { tooLargeToCollect } from "../core/errors.ts";
import type { BodyReceiver, CloseListener, ContentVerdict, ForwardedBody } from "../core/http/body.ts";
import { bytesOf, textOf } from "../core/http/body-chunks.ts";
import { isWantedEventStream } from "../core/http/event-stream.ts";
import { tellClosed } from "../core/observing/fence.ts";
import { rpcStatusIn } from "../core/rpc/rpc-outcome.ts";
import type { Upstream } from "../core/upstream.ts";
import { type BodyReader, type BodySource, CollectedBody, DiscardedBody, StreamedBody, UnreadBody, unreadBytes } from "./body-readers.ts";
import { type BodyLimits, BodyTimer, DrainTimer, type TimedBody } from "./body-timer.ts";
import { decodeHeaders, decodeTrailers, findHeader, noTrailers, type RawHeaders } from "./raw-headers.ts";

/** The exchange that a response belongs to. */
export interface ResponseSource {
  readonly request: MeshRequest;
  readonly clock: Clock;
  readonly limits: BodyLimits;
  /** Gives the exchange up and closes its connection. */
  giveUp(reason: unknown): void;
  /** The body was quiet for too long. */
  failIdle(): void;
}

/** The head of a response, as it comes. */
export interface RawHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: RawHeaders;
}

/** In the place of what has closed a body. */
const open: unique symbol = Symbol("open");

/**
 * The response of an exchange: its head and its body in one object, since two would be a twentieth of what a call costs. It is none with the
 * exchange, of which a call that waits for its response holds one.
 */
export class IncomingResponse implements MeshResponse, ForwardedBody, BodySource, TimedBody {
  readonly status: number;
  readonly statusText: string;
  used = false;
  waitedMs = 0;
  content: ContentVerdict | undefined = undefined;
  readonly #source: ResponseSource;
  readonly #resume: () => void;
  readonly #rawHeaders: RawHeaders;
  #headers: string[] | undefined = undefined;
  #trailers: readonly string[] = noTrailers;
  #isPaused = false;
  /** The time of the last byte of the body, or that from which on its reader has waited. */
  #quietSince = 0;
  /** Ends a body that has been quiet, or drained, for too long. */
  #timer: BodyTimer | DrainTimer | undefined = undefined;
  /** The error that has closed the body, `undefined` for a whole one; {@link open} before. */
  #closedBy: unknown = open;
  #closeListeners: CloseListener[] | undefined = undefined;
  /** Made with the first chunk, or by the call that reads the body. */
  #reader: BodyReader | undefined = undefined;

  constructor(source: ResponseSource, { status, statusText, headers }: RawHead, resume: () => void) {
    this.status = status;
    this.statusText = statusText;
    this.#source = source;
    this.#rawHeaders = headers;
    this.#resume = resume;
  }

  // --- what the exchange tells ---

  /** Takes a part of the body; `false` pauses the connection. */
  take(chunk: Buffer): boolean {
    this.#quietSince = this.#source.clock.now();
    this.#reader ??= new UnreadBody();
    const goesOn = this.#reader.take(chunk);
    this.#isPaused = !goesOn;
    return goesOn;
  }

  /** The body has ended; its trailers may have been those of a response that was cut off. */
  setTrailers(trailers: unknown): void {
    this.#trailers = decodeTrailers(trailers);
  }

  /** The exchange has ended; with `undefined` the body is whole. */
  close(error: unknown): void {
    this.#closedBy = error;
    this.#timer?.clear();
    if (error !== undefined) this.waitedMs = this.quietMs;
    this.#reader?.end(error);
    // The rest of a body that failed is not read.
    if (error !== undefined) this.#reader = undefined;
    const listeners = this.#closeListeners;
    this.#closeListeners = undefined;
    if (listeners) for (const listener of listeners) tellClosed(listener, error);
  }

  // --- MeshResponse ---

  get headers(): readonly string[] {
    this.#headers ??= decodeHeaders(this.#rawHeaders);
    return this.#headers;
  }

  header(name: string): string | undefined {
    return findHeader(this.#rawHeaders, name);
  }

  get body(): ForwardedBody {
    return this;
  }

  get trailers(): readonly string[] {
    return this.#trailers;
  }

  get rpcStatus(): number | undefined {
    const { rpc } = this.#source.request;
    return rpc === undefined ? undefined : rpcStatusIn(this, rpc.protocol);
  }

  get upstream(): Upstream | undefined {
    return this.#source.request.upstream;
  }

  // --- ResponseBody ---

  get complete(): boolean {
    return this.#closedBy === undefined;
  }

  onClose(listener: CloseListener): void {
    if (this.#isClosed) tellClosed(listener, this.#closedBy);
    else if (this.#closeListeners === undefined) this.#closeListeners = [listener];
    else this.#closeListeners.push(listener);
  }

  text(): Promise<string> {
    return this.#collect(textOf);
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#collect(bytesOf);
  }

  stream(purpose?: "collect"): ReadableStream<Uint8Array<ArrayBuffer>> {
    const reader = new StreamedBody(this, this.#use().chunks);
    this.#reader = reader;
    const stream = reader.open();
    if (this.#isClosed) reader.end(this.#closedBy);
    else this.#limitIdle(purpose === undefined);
    return stream;
  }

  forward(receiver: BodyReceiver): void {
    const { chunks } = this.#use();
    let goesOn = true;
    for (const chunk of chunks) goesOn = receiver.take(chunk);
    if (this.#isClosed) {
      receiver.end(this.#closedBy);
      return;
    }
    this.#reader = receiver;
    this.#limitIdle(true);
    if (goesOn) this.resume();
  }

  discard(maxBytes: number = unreadBytes): void {
    if (this.used) return;
    const bytesLeft = maxBytes - this.#use().byteLength;
    this.#reader = new DiscardedBody(this, bytesLeft);
    if (bytesLeft < 0) this.cancel();
    else if (!this.#isClosed) {
      this.#timer = new DrainTimer(this, this.#source.clock);
      this.resume();
    }
  }

  cancel(reason?: unknown): void {
    if (!this.#isClosed) this.#source.giveUp(reason ?? new DOMException("The body was cancelled", "AbortError"));
  }

  // --- BodySource ---

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#quietSince = this.#source.clock.now();
    this.#resume();
  }

  // --- TimedBody ---

  get quietMs(): number {
    return !this.#isPaused && this.#reader?.isWaiting ? this.#source.clock.now() - this.#quietSince : 0;
  }

  failIdle(): void {
    this.#source.failIdle();
  }

  // --- inside ---

  get #isClosed(): boolean {
    return this.#closedBy !== open;
  }

  /** Reserves the body for one reader. Returns the chunks that have arrived. */
  #use(): UnreadBody {
    if (this.used) throw new TypeError("Body is unusable: Body has already been read");
    this.used = true;
    if (!this.#isClosed) this.#quietSince = this.#source.clock.now();
    return (this.#reader as UnreadBody | undefined) ?? new UnreadBody();
  }

  #collect<Content>(convert: (chunks: readonly Buffer[]) => Content): Promise<Content> {
    return new Promise((resolve, reject) => {
      const { chunks } = this.#use();
      const { request, limits } = this.#source;
      const { maxCollectedBytes: maxBytes } = limits;
      const tooLarge = () => tooLargeToCollect(request.service, maxBytes);
      const reader = new CollectedBody(this, chunks, { convert, resolve, reject, maxBytes, tooLarge });
      this.#reader = this.#isClosed ? undefined : reader;
      if (this.#isClosed) return reader.end(this.#closedBy);
      this.#limitIdle(false);
      this.resume();
    });
  }

  #limitIdle(isStreamed: boolean): void {
    const { request, limits, clock } = this.#source;
    const { bodyIdleTimeoutMs } = limits;
    // The messages of a stream may be far apart; whether its connection is alive is asked by PING.
    if (bodyIdleTimeoutMs === false || request.rpc?.isStream) return;
    if (isWantedEventStream(this, request.headers, isStreamed)) return;
    this.#timer = new BodyTimer(this, bodyIdleTimeoutMs, clock);
  }
}
