import type { Buffer } from "node:buffer";
import type { CancelHandler } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { tooLargeToCollect } from "../core/errors.ts";
import type { CloseListener, ResponseBody } from "../core/http/body.ts";
import { bytesOf, noChunks, textOf } from "../core/http/body-chunks.ts";
import { isWantedEventStream } from "../core/http/event-stream.ts";
import { tellClosed } from "../core/observing/fence.ts";
import type { Upstream } from "../core/upstream.ts";
import { type BodyReader, type BodySource, CollectedBody, DiscardedBody, StreamedBody, UnreadBody, unreadBytes } from "./body-readers.ts";
import { BodyIdle, type BodyLimits, BodyTimer, DrainTimer, type TimedBody, unlimited } from "./body-timer.ts";
import { abandoned, codeOfReason, failureOf, record } from "./failure.ts";
import { decodeHeaders, decodeTrailers, findHeader, noTrailers } from "./raw-headers.ts";
import { cutOff } from "./undici/reset-notice.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** Settles the promise of the head; a rejected promise rejects it, so that a waiting call holds one function. */
type Settle = (head: MeshResponse | Promise<never>) => void;

/**
 * One request on a connection and its response: the handler of its dispatch, the response head and the body in one object, since three objects
 * would be a tenth of what a call costs.
 *
 * It implements the handler interface that undici 7 uses inside (`onConnect`, `onHeaders`, …): the newer one is wrapped around it there, which
 * costs a controller and an eagerly parsed header object for each response. Undici 8 has other names for seven methods here.
 */
export class Exchange implements MeshResponse, ResponseBody, BodySource, TimedBody, CancelHandler {
  status = 0;
  statusText = "";
  used = false;
  waitedMs = 0;
  readonly #request: MeshRequest;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #limits: BodyLimits;
  /** `undefined` once the head has arrived or the exchange has failed. */
  #settle: Settle | undefined;
  #abort: ((error?: Error) => void) | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #rawHeaders: readonly Buffer[] = noChunks;
  #headers: string[] | undefined = undefined;
  #trailers: readonly string[] = noTrailers;
  #isSent = false;
  #hasHead = false;
  #isPaused = false;
  #pool: UpstreamPool | undefined = undefined;
  #heardBefore = 0;
  /** The place of this attempt in the call's records. */
  #recordIndex: number | undefined = undefined;
  /** The time of the last byte of the body, or that from which on its reader has waited. */
  #quietSince = 0;
  /** Ends a body that has been quiet, or drained, for too long. */
  #timer: BodyTimer | DrainTimer | undefined = undefined;
  #isClosed = false;
  #closeError: unknown = undefined;
  #closeListeners: CloseListener[] | undefined = undefined;
  /** Made with the first chunk, or by the call that reads the body. */
  #reader: BodyReader | undefined = undefined;

  constructor(request: MeshRequest, clock: Clock, settle: Settle, limits: BodyLimits = unlimited) {
    this.#request = request;
    this.#limits = limits;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#settle = settle;
    request.cancellation.onCancel(this);
  }

  // --- MeshResponse ---

  get headers(): readonly string[] {
    this.#headers ??= decodeHeaders(this.#rawHeaders);
    return this.#headers;
  }

  header(name: string): string | undefined {
    return findHeader(this.#rawHeaders, name);
  }

  get body(): ResponseBody {
    return this;
  }

  get trailers(): readonly string[] {
    return this.#trailers;
  }

  get upstream(): Upstream | undefined {
    return this.#request.upstream;
  }

  begin(pool: UpstreamPool): void {
    this.#pool = pool;
    this.#heardBefore = pool.heard;
  }

  // --- undici's handler ---

  /** The request waits for a connection: when it is given up, it leaves. */
  onQueued(leave: () => void): void {
    this.#abort = leave;
  }

  onConnect(abort: (error?: Error) => void): void {
    // Given up while it was queued: it is not sent. `abort` would close the connection, which is intact; an error does not.
    if (this.#isClosed) throw abandoned;
    this.#abort = abort;
    this.#isSent = true;
  }

  onBodySent(chunk: unknown): void {
    this.#request.progress?.advance((chunk as Uint8Array).length, this.#clock.now());
  }

  onRequestSent(): void {
    this.#request.progress?.end(this.#clock.now());
  }

  onHeaders(status: number, headers: Buffer[] | string[] | null, resume: () => void, statusText: string): boolean {
    if (status < 200) return true;
    this.#hasHead = true;
    if (this.#pool !== undefined) this.#pool.heard++;
    this.status = status;
    this.statusText = statusText;
    this.#rawHeaders = (headers ?? []) as Buffer[];
    this.#resume = resume;
    this.#record(undefined);
    this.#settle?.(this);
    this.#settle = undefined;
    return true;
  }

  onData(chunk: Buffer): boolean {
    // undici hands on an empty chunk when it goes on after a pause between two reads; a byte stream refuses it.
    if (chunk.byteLength === 0) return true;
    this.#quietSince = this.#clock.now();
    this.#reader ??= new UnreadBody();
    const goesOn = this.#reader.take(chunk);
    this.#isPaused = !goesOn;
    return goesOn;
  }

  onComplete(trailers: unknown): void {
    this.#trailers = decodeTrailers(trailers);
    if (cutOff.by === undefined) this.#close(undefined);
    else this.onError(cutOff.by);
  }

  onError(cause: Error): void {
    if (this.#isClosed) return;
    const error = failureOf(this.#state(), cause);
    this.#settle?.(Promise.reject(error));
    this.#close(error);
  }

  // --- ResponseBody ---

  get complete(): boolean {
    return this.#isClosed && this.#closeError === undefined;
  }

  onClose(listener: CloseListener): void {
    if (this.#isClosed) tellClosed(listener, this.#closeError);
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
    if (this.#isClosed) reader.end(this.#closeError);
    else this.#limitIdle(purpose === undefined);
    return stream;
  }

  discard(maxBytes: number = unreadBytes): void {
    if (this.used) return;
    const bytesLeft = maxBytes - this.#use().byteLength;
    this.#reader = new DiscardedBody(this, bytesLeft);
    if (bytesLeft < 0) this.cancel();
    else if (!this.#isClosed) {
      this.#timer = new DrainTimer(this, this.#clock);
      this.resume();
    }
  }

  cancel(reason?: unknown): void {
    if (this.#isClosed) return;
    this.#abortWith(reason ?? new DOMException("The body was cancelled", "AbortError"));
  }

  // --- BodySource ---

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#quietSince = this.#clock.now();
    this.#resume?.();
  }

  // --- TimedBody ---

  get quietMs(): number {
    return !this.#isPaused && this.#reader?.isWaiting ? this.#clock.now() - this.#quietSince : 0;
  }

  failIdle(): void {
    const abort = this.#abort;
    this.onError(new BodyIdle("Body Timeout Error"));
    abort?.();
  }

  // --- CancelHandler ---

  /** The attempt, or the whole call, has been given up. */
  handleCancel(reason: unknown): void {
    if (this.#isClosed) return;
    if (this.#isSent && !this.#hasHead) this.#pool?.doubt(this.#heardBefore, this.#clock.now() - this.#startedAt);
    this.#record(codeOfReason(reason));
    this.#settle?.(Promise.reject(reason));
    this.#abortWith(reason);
  }

  // --- inside ---

  /** Reserves the body for one reader. Returns the chunks that have arrived. */
  #use(): UnreadBody {
    if (this.used) throw new TypeError("Body is unusable: Body has already been read");
    this.used = true;
    if (!this.#isClosed) this.#quietSince = this.#clock.now();
    return (this.#reader as UnreadBody | undefined) ?? new UnreadBody();
  }

  #collect<Content>(convert: (chunks: readonly Buffer[]) => Content): Promise<Content> {
    return new Promise((resolve, reject) => {
      const { chunks } = this.#use();
      const { maxCollectedBytes: maxBytes } = this.#limits;
      const tooLarge = () => tooLargeToCollect(this.#request.service, maxBytes);
      const reader = new CollectedBody(this, chunks, { convert, resolve, reject, maxBytes, tooLarge });
      this.#reader = this.#isClosed ? undefined : reader;
      if (this.#isClosed) return reader.end(this.#closeError);
      this.#limitIdle(false);
      this.resume();
    });
  }

  #limitIdle(isStreamed: boolean): void {
    const { bodyIdleTimeoutMs } = this.#limits;
    if (bodyIdleTimeoutMs === false || isWantedEventStream(this, this.#request.headers, isStreamed)) return;
    this.#timer = new BodyTimer(this, bodyIdleTimeoutMs, this.#clock);
  }

  #abortWith(reason: unknown): void {
    const abort = this.#abort;
    this.#close(reason);
    abort?.();
  }

  #record(code: string | undefined): void {
    this.#recordIndex = record(this.#state(), code, this.#isSent);
  }

  #state() {
    return {
      request: this.#request,
      isSent: this.#isSent,
      hasHead: this.#hasHead,
      status: this.#hasHead ? this.status : undefined,
      ms: this.#clock.now() - this.#startedAt,
      index: this.#recordIndex,
    };
  }

  #close(error: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeError = error;
    this.#settle = undefined;
    this.#abort = undefined;
    this.#request.cancellation.removeListener(this);
    this.#timer?.clear();
    if (error !== undefined) this.waitedMs = this.quietMs;
    this.#reader?.end(error);
    // The rest of a body that failed is not read.
    if (error !== undefined) this.#reader = undefined;
    const listeners = this.#closeListeners;
    this.#closeListeners = undefined;
    if (listeners) for (const listener of listeners) tellClosed(listener, error);
  }
}
