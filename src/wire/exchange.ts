import type { Buffer } from "node:buffer";
import type { UnderlyingByteSource } from "node:stream/web";
import type { CancelHandler } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { CloseListener, ResponseBody } from "../core/http/body.ts";
import { bytesOf, noChunks, ownsItsMemory, settleWith, textOf } from "../core/http/body-chunks.ts";
import { droppedStreams, endByteStream, streamAheadBytes } from "../core/http/byte-stream.ts";
import type { Upstream } from "../core/upstream.ts";
import { codeOfReason, failureOf, record } from "./failure.ts";
import { decodeHeaders, decodeTrailers, findHeader, noTrailers } from "./raw-headers.ts";
import { cutOff } from "./undici/reset-notice.ts";

/** Bytes kept for a reader that has not come yet; then the socket is paused. */
const highWaterBytes = 65_536;

/** Settles the promise of the head: also with one that is rejected, which spares what waits a function for that. */
type Settle = (head: MeshResponse | Promise<never>) => void;

/**
 * One request on the wire and its response: undici's dispatch handler, the response head and the body in one object, since
 * three objects a call would be a tenth of what a call costs.
 *
 * It speaks the handler interface that undici 7 uses inside (`onConnect`, `onHeaders`, …): the newer one is wrapped around
 * it there, which costs a controller and an eagerly parsed header object for each response. Moving to undici 8 changes the
 * names of five methods here and nothing elsewhere.
 */
export class Exchange implements MeshResponse, ResponseBody, CancelHandler {
  status = 0;
  statusText = "";
  used = false;
  readonly #request: MeshRequest;
  readonly #clock: Clock;
  readonly #startedAt: number;
  /** Until the head has arrived or the exchange has failed. */
  #settle: Settle | undefined;
  #abort: ((error?: Error) => void) | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #rawHeaders: readonly Buffer[] = noChunks;
  #headers: string[] | undefined = undefined;
  #trailers: readonly string[] = noTrailers;
  #isSent = false;
  #hasHead = false;
  #isPaused = false;
  #recordIndex: number | undefined = undefined;

  #isClosed = false;
  #closeError: unknown = undefined;
  #closeListeners: CloseListener[] | undefined = undefined;

  /** Made with the first: while it waits, an exchange holds no array. */
  #chunks: Buffer[] | undefined = undefined;
  #bufferedBytes = 0;
  /** `undefined`: nobody reads yet. */
  #reader: "collect" | "stream" | "discard" | undefined = undefined;
  #discardLimit = 0;
  #collected: ((error: unknown) => void) | undefined = undefined;
  /** Not while it is full: whoever still means to read the stream holds it then, and one that nobody holds can be given up. */
  #controller: ReadableByteStreamController | undefined = undefined;
  #parked: WeakRef<ReadableByteStreamController> | undefined = undefined;

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

  // --- undici's handler ---

  onConnect(abort: (error?: Error) => void): void {
    // Given up while it was queued: it stays unsent. Thrown, because `abort` would close the connection, which is as good as ever.
    if (this.#isClosed) throw abandoned;
    this.#abort = abort;
    this.#isSent = true;
  }

  onHeaders(status: number, headers: Buffer[] | string[] | null, resume: () => void, statusText: string): boolean {
    if (status < 200) return true;
    this.#hasHead = true;
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
    // undici hands on an empty one when it goes on after a pause between two reads; a byte stream refuses it.
    if (chunk.byteLength === 0) return true;
    if (this.#reader === "discard") return this.#discard(chunk.byteLength);
    const controller = this.#controller ?? this.#parked?.deref();
    if (controller !== undefined) {
      // Without room it pauses until the stream asks for more, which it does inside `enqueue` when another read is waiting already.
      const hasRoom = (controller.desiredSize ?? 0) > chunk.byteLength;
      this.#isPaused = !hasRoom;
      if (!hasRoom) this.#controller = undefined;
      controller.enqueue(hasRoom && ownsItsMemory(chunk) ? chunk : new Uint8Array(chunk));
      return !this.#isPaused;
    }
    if (this.#chunks === undefined) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.byteLength;
    this.#isPaused = this.#reader === undefined && this.#bufferedBytes >= highWaterBytes;
    return !this.#isPaused;
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
    this.#use("stream");
    const source: UnderlyingByteSource = {
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
        this.#parked = new WeakRef(controller);
        for (const chunk of this.#takeChunks()) controller.enqueue(new Uint8Array(chunk));
        if (this.#isClosed) this.#endStream();
      },
      pull: (controller) => {
        if (this.#isClosed) return;
        this.#controller = controller;
        this.#continue();
      },
      cancel: (reason) => {
        this.#controller = undefined;
        this.#parked = undefined;
        this.cancel(reason);
      },
    };
    const stream = new ReadableStream(source, { highWaterMark: streamAheadBytes }) as ReadableStream<Uint8Array<ArrayBuffer>>;
    droppedStreams.register(stream, this);
    return stream;
  }

  discard(maxBytes: number = highWaterBytes): void {
    if (this.used) return;
    this.used = true;
    this.#reader = "discard";
    this.#discardLimit = maxBytes - this.#bufferedBytes;
    this.#chunks = undefined;
    if (this.#discardLimit < 0) this.cancel();
    else this.#continue();
  }

  cancel(reason?: unknown): void {
    if (this.#isClosed) return;
    this.#abortWith(reason ?? new DOMException("The body was cancelled", "AbortError"));
  }

  // --- inside ---

  /** The attempt, or the whole call, has been given up. */
  handleCancel(reason: unknown): void {
    if (this.#isClosed) return;
    this.#record(codeOfReason(reason));
    this.#settle?.(Promise.reject(reason));
    this.#abortWith(reason);
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

  #use(reader: "collect" | "stream"): void {
    if (this.used) throw new TypeError("Body is unusable: Body has already been read");
    this.used = true;
    this.#reader = reader;
  }

  #collect<Content>(convert: (chunks: readonly Buffer[]) => Content): Promise<Content> {
    return new Promise((resolve, reject) => {
      this.#use("collect");
      const collected = (error: unknown) => {
        if (error === undefined) settleWith(convert, this.#takeChunks(), resolve, reject);
        else reject(error);
      };
      this.#collected = collected;
      if (this.#isClosed) collected(this.#closeError);
      else this.#continue();
    });
  }

  #takeChunks(): readonly Buffer[] {
    const chunks = this.#chunks ?? noChunks;
    this.#chunks = undefined;
    return chunks;
  }

  #continue(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#resume?.();
  }

  #discard(byteLength: number): boolean {
    this.#discardLimit -= byteLength;
    if (this.#discardLimit < 0) this.cancel();
    return true;
  }

  #close(error: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeError = error;
    this.#settle = undefined;
    this.#abort = undefined;
    this.#request.cancellation.removeListener(this);
    if (error !== undefined) this.#chunks = undefined;
    this.#endStream();
    this.#collected?.(error);
    const listeners = this.#closeListeners;
    this.#closeListeners = undefined;
    if (listeners) for (const listener of listeners) listener(error);
  }

  #endStream(): void {
    const controller = this.#controller ?? this.#parked?.deref();
    this.#controller = undefined;
    this.#parked = undefined;
    if (controller !== undefined) endByteStream(controller, this.#closeError);
  }
}

const abandoned = new Error("given up before it was sent");
