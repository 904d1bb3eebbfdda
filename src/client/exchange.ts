import type { Buffer } from "node:buffer";
import type { UnderlyingByteSource } from "node:stream/web";
import type { CloseListener, ResponseBody } from "../core/body.ts";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { Upstream } from "../core/upstream.ts";
import { bytesOf, ownsItsMemory, textOf } from "./chunks.ts";
import { codeOfReason, failureOf, record } from "./failure.ts";
import { decodeHeaders, decodeTrailers, findHeader, noTrailers } from "./raw-headers.ts";

/** Bytes kept for a reader that has not come yet; then the socket is paused. */
const highWaterBytes = 65_536;
/** Bytes a stream takes ahead of its reader: a few reads of the socket, so that it does not stop after each of them. */
const streamAheadBytes = 262_144;

/**
 * One request on the wire and its response: undici's dispatch handler, the response head and the body in one object, since
 * three objects a call would be a tenth of what a call costs.
 *
 * It speaks the handler interface that undici 7 uses inside (`onConnect`, `onHeaders`, …): the newer one is wrapped around
 * it there, which costs a controller and an eagerly parsed header object for each response. Moving to undici 8 changes the
 * names of five methods here and nothing elsewhere.
 */
export class Exchange implements MeshResponse, ResponseBody {
  status = 0;
  statusText = "";
  used = false;
  readonly #request: MeshRequest;
  readonly #clock: Clock;
  readonly #startedAt: number;
  #resolve: ((response: MeshResponse) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  #abort: ((error?: Error) => void) | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #rawHeaders: readonly Buffer[] = [];
  #headers: string[] | undefined = undefined;
  #trailers: readonly string[] = noTrailers;
  #isSent = false;
  #hasHead = false;
  #isPaused = false;
  #recordIndex: number | undefined = undefined;

  #isClosed = false;
  #closeError: unknown = undefined;
  #closeListeners: CloseListener[] | undefined = undefined;

  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  /** `undefined`: nobody reads yet. */
  #reader: "collect" | "stream" | "discard" | undefined = undefined;
  #discardLimit = 0;
  #collected: ((error: unknown) => void) | undefined = undefined;
  #controller: ReadableByteStreamController | undefined = undefined;

  constructor(request: MeshRequest, clock: Clock, resolve: (response: MeshResponse) => void, reject: (reason: unknown) => void) {
    this.#request = request;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#resolve = resolve;
    this.#reject = reject;
    request.cancellation.onCancel(this.#onCancel);
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
    this.#resolve?.(this);
    this.#resolve = undefined;
    this.#reject = undefined;
    return true;
  }

  onData(chunk: Buffer): boolean {
    // undici hands on an empty one when it goes on after a pause between two reads; a byte stream refuses it.
    if (chunk.byteLength === 0) return true;
    if (this.#reader === "discard") return this.#discard(chunk.byteLength);
    if (this.#controller !== undefined) {
      // Without room it pauses until the stream asks for more, which it does inside `enqueue` when another read is waiting already.
      const hasRoom = (this.#controller.desiredSize ?? 0) > chunk.byteLength;
      this.#isPaused = !hasRoom;
      this.#controller.enqueue(hasRoom && ownsItsMemory(chunk) ? chunk : new Uint8Array(chunk));
      return !this.#isPaused;
    }
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.byteLength;
    this.#isPaused = this.#reader === undefined && this.#bufferedBytes >= highWaterBytes;
    return !this.#isPaused;
  }

  onComplete(trailers: unknown): void {
    this.#trailers = decodeTrailers(trailers);
    this.#close(undefined);
  }

  onError(cause: Error): void {
    if (this.#isClosed) return;
    const error = failureOf(this.#state(), cause);
    this.#reject?.(error);
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

  async text(): Promise<string> {
    await this.#collect();
    return textOf(this.#takeChunks());
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    await this.#collect();
    return bytesOf(this.#takeChunks());
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#use("stream");
    const source: UnderlyingByteSource = {
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
        for (const chunk of this.#takeChunks()) controller.enqueue(new Uint8Array(chunk));
        if (this.#isClosed) this.#endStream();
      },
      pull: () => {
        this.#continue();
      },
      cancel: (reason) => {
        this.#controller = undefined;
        this.cancel(reason);
      },
    };
    return new ReadableStream(source, { highWaterMark: streamAheadBytes }) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  discard(maxBytes: number = highWaterBytes): void {
    if (this.used) return;
    this.used = true;
    this.#reader = "discard";
    this.#discardLimit = maxBytes - this.#bufferedBytes;
    this.#chunks = [];
    if (this.#discardLimit < 0) this.cancel();
    else this.#continue();
  }

  cancel(reason?: unknown): void {
    if (this.#isClosed) return;
    this.#abortWith(reason ?? new DOMException("The body was cancelled", "AbortError"));
  }

  // --- inside ---

  readonly #onCancel = (reason: unknown): void => {
    if (this.#isClosed) return;
    this.#record(codeOfReason(reason));
    this.#reject?.(reason);
    this.#abortWith(reason);
  };

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

  async #collect(): Promise<void> {
    this.#use("collect");
    if (!this.#isClosed) {
      await new Promise<void>((resolve, reject) => {
        this.#collected = (error) => (error === undefined ? resolve() : reject(error));
        this.#continue();
      });
    } else if (this.#closeError !== undefined) throw this.#closeError;
  }

  #takeChunks(): readonly Buffer[] {
    const chunks = this.#chunks;
    this.#chunks = [];
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
    this.#resolve = undefined;
    this.#reject = undefined;
    this.#abort = undefined;
    this.#request.cancellation.removeListener(this.#onCancel);
    if (error !== undefined) this.#chunks = [];
    this.#endStream();
    this.#collected?.(error);
    const listeners = this.#closeListeners;
    this.#closeListeners = undefined;
    if (listeners) for (const listener of listeners) listener(error);
  }

  #endStream(): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    this.#controller = undefined;
    if (this.#closeError !== undefined) {
      controller.error(this.#closeError);
      return;
    }
    try {
      controller.close();
      // A reader that brought its own buffer waits until it is answered (Streams standard, byte streams).
      controller.byobRequest?.respond(0);
    } catch {
      // The reader asked for elements of several bytes and the body ends inside one: the stream has told it.
    }
  }
}

const abandoned = new Error("given up before it was sent");
