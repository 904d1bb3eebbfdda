import type { Buffer } from "node:buffer";
import type { CancelHandler } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { CloseListener, ResponseBody } from "../core/http/body.ts";
import { bytesOf, noChunks, settleWith, textOf } from "../core/http/body-chunks.ts";
import type { Upstream } from "../core/upstream.ts";
import { type BodyReader, type BodySource, CollectedBody, DiscardedBody, StreamedBody, UnreadBody, unreadBytes } from "./body-readers.ts";
import { codeOfReason, failureOf, record } from "./failure.ts";
import { decodeHeaders, decodeTrailers, findHeader, noTrailers } from "./raw-headers.ts";
import { cutOff } from "./undici/reset-notice.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** A request that got nothing for less than this, in milliseconds, says nothing about its connection. */
const silentMs = 50;

/** Settles the promise of the response head; a rejected promise rejects it, so that a waiting call holds one function instead of two. */
type Settle = (head: MeshResponse | Promise<never>) => void;

/**
 * One request on a connection and its response: the handler of its dispatch, the response head and the body in one object, since three objects
 * would be a tenth of what a call costs.
 *
 * It implements the handler interface that undici 7 uses inside (`onConnect`, `onHeaders`, …): the newer one is wrapped around it there, which
 * costs a controller and an eagerly parsed header object for each response. Moving to undici 8 changes the names of five methods here and
 * nothing elsewhere.
 */
export class Exchange implements MeshResponse, ResponseBody, BodySource, CancelHandler {
  status = 0;
  statusText = "";
  used = false;
  readonly #request: MeshRequest;
  readonly #clock: Clock;
  readonly #startedAt: number;
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
  /** Response heads that the pool had got when this exchange began. */
  #heardBefore = 0;
  /** The place of this attempt in the call's records. */
  #recordIndex: number | undefined = undefined;
  #isClosed = false;
  #closeError: unknown = undefined;
  #closeListeners: CloseListener[] | undefined = undefined;
  /** Made with the first chunk, or by the call that reads the body. */
  #reader: BodyReader | undefined = undefined;

  constructor(request: MeshRequest, clock: Clock, settle: Settle) {
    this.#request = request;
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

  /** Takes the pool that the request is given to. */
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
    if (this.#isClosed) listener(this.#closeError);
    else if (this.#closeListeners === undefined) this.#closeListeners = [listener];
    else this.#closeListeners.push(listener);
  }

  text(): Promise<string> {
    return this.#collect(textOf);
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#collect(bytesOf);
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const reader = new StreamedBody(this, this.#use().chunks);
    this.#reader = reader;
    const stream = reader.open();
    if (this.#isClosed) reader.end(this.#closeError);
    return stream;
  }

  discard(maxBytes: number = unreadBytes): void {
    if (this.used) return;
    const bytesLeft = maxBytes - this.#use().byteLength;
    this.#reader = new DiscardedBody(this, bytesLeft);
    if (bytesLeft < 0) this.cancel();
    else this.resume();
  }

  cancel(reason?: unknown): void {
    if (this.#isClosed) return;
    this.#abortWith(reason ?? new DOMException("The body was cancelled", "AbortError"));
  }

  // --- BodySource ---

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#resume?.();
  }

  // --- CancelHandler ---

  /** The attempt, or the whole call, has been given up. */
  handleCancel(reason: unknown): void {
    if (this.#isClosed) return;
    this.#doubtConnections();
    this.#record(codeOfReason(reason));
    this.#settle?.(Promise.reject(reason));
    this.#abortWith(reason);
  }

  // --- inside ---

  /** Reserves the body for one reader. Returns the chunks that have arrived. */
  #use(): UnreadBody {
    if (this.used) throw new TypeError("Body is unusable: Body has already been read");
    this.used = true;
    return (this.#reader as UnreadBody | undefined) ?? new UnreadBody();
  }

  #collect<Content>(convert: (chunks: readonly Buffer[]) => Content): Promise<Content> {
    return new Promise((resolve, reject) => {
      const { chunks } = this.#use();
      if (this.#isClosed) {
        this.#reader = undefined;
        if (this.#closeError === undefined) settleWith(convert, chunks, resolve, reject);
        else reject(this.#closeError);
        return;
      }
      this.#reader = new CollectedBody(chunks, convert, resolve, reject);
      this.resume();
    });
  }

  /** Nothing has come from the instance since the request was sent: its idle connections may be as dead as the one of this request. */
  #doubtConnections(): void {
    if (!this.#isSent || this.#hasHead || this.#pool?.heard !== this.#heardBefore) return;
    if (this.#clock.now() - this.#startedAt >= silentMs) this.#pool.renew();
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
    this.#reader?.end(error);
    // The rest of a body that failed is not read.
    if (error !== undefined) this.#reader = undefined;
    const listeners = this.#closeListeners;
    this.#closeListeners = undefined;
    if (listeners) for (const listener of listeners) listener(error);
  }
}

const abandoned = new Error("given up before it was sent");
