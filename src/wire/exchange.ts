import type { Buffer } from "node:buffer";
import type { CancelHandler } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { noChunks } from "../core/http/body-chunks.ts";
import { BodyIdle, type BodyLimits, unlimited } from "./body-timer.ts";
import { abandoned, codeOfReason, type FailedAttempt, failureOf, record } from "./failure.ts";
import { IncomingResponse, type ResponseSource } from "./incoming-response.ts";
import { cutOff } from "./undici/reset-notice.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** Settles the promise of the head; a rejected promise rejects it, so that a waiting call holds one function. */
type Settle = (head: MeshResponse | Promise<never>) => void;

/**
 * One request on a connection: the handler of its dispatch.
 *
 * It implements the handler interface that undici 7 uses inside (`onConnect`, `onHeaders`, …): the newer one is wrapped around it there, which
 * costs a controller and an eagerly parsed header object for each response. Undici 8 has other names for seven methods here.
 */
export class Exchange implements CancelHandler, ResponseSource {
  readonly request: MeshRequest;
  readonly clock: Clock;
  readonly limits: BodyLimits;
  readonly #startedAt: number;
  /** `undefined` once the head has arrived or the exchange has failed. */
  #settle: Settle | undefined;
  #abort: ((error?: Error) => void) | undefined = undefined;
  /** undici has begun to write the request to a connection. */
  #isSent = false;
  #pool: UpstreamPool | undefined = undefined;
  #heardBefore = 0;
  /** The place of this attempt in the call's records. */
  #recordIndex: number | undefined = undefined;
  #isClosed = false;
  /** Made with the head: the calls that wait for theirs need no room for it. */
  #response: IncomingResponse | undefined = undefined;

  constructor(request: MeshRequest, clock: Clock, settle: Settle, limits: BodyLimits = unlimited) {
    this.request = request;
    this.limits = limits;
    this.clock = clock;
    this.#startedAt = clock.now();
    this.#settle = settle;
    request.cancellation.onCancel(this);
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
    this.request.progress?.advance((chunk as Uint8Array).length, this.clock.now());
  }

  onRequestSent(): void {
    this.request.progress?.end(this.clock.now());
  }

  onHeaders(status: number, headers: Buffer[] | string[] | null, resume: () => void, statusText: string): boolean {
    if (status < 200) return true;
    if (this.#pool !== undefined) this.#pool.heard++;
    const response = new IncomingResponse(this, { status, statusText, headers: headers ?? noChunks }, resume);
    this.#response = response;
    this.#record(undefined);
    this.#settle?.(response);
    this.#settle = undefined;
    return true;
  }

  onData(chunk: Buffer): boolean {
    // undici hands on an empty chunk when it goes on after a pause between two reads; a byte stream refuses it.
    if (chunk.byteLength === 0) return true;
    return this.#response?.take(chunk) ?? true;
  }

  onComplete(trailers: unknown): void {
    this.#response?.setTrailers(trailers);
    if (cutOff.by === undefined) this.#close(undefined);
    else this.onError(cutOff.by);
  }

  onError(cause: Error): void {
    if (this.#isClosed) return;
    const error = failureOf(this.#state(), cause);
    this.#settle?.(Promise.reject(error));
    this.#close(error);
  }

  // --- ResponseSource ---

  giveUp(reason: unknown): void {
    const abort = this.#abort;
    this.#close(reason);
    abort?.();
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
    if (this.#isSent && this.#response === undefined) this.#pool?.doubt(this.#heardBefore, this.clock.now() - this.#startedAt);
    this.#record(codeOfReason(reason));
    this.#settle?.(Promise.reject(reason));
    this.giveUp(reason);
  }

  // --- inside ---

  #record(code: string | undefined): void {
    this.#recordIndex = record(this.#state(), code, this.#isSent);
  }

  #state(): FailedAttempt {
    const response = this.#response;
    return {
      request: this.request,
      isSent: this.#isSent,
      hasHead: response !== undefined,
      status: response?.status,
      ms: this.clock.now() - this.#startedAt,
      index: this.#recordIndex,
    };
  }

  #close(error: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#settle = undefined;
    this.#abort = undefined;
    this.request.cancellation.removeListener(this);
    this.#response?.close(error);
  }
}
