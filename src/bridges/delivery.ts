import { Cancellation } from "../core/cancellation.ts";
import type { TransferListener } from "../core/http/transfer-listener.ts";
import { errors } from "../wire/undici/undici.ts";
import type { DispatchSink } from "./dispatch-sink.ts";

/**
 * One request that a handler of undici has dispatched. The handler is told an end or an error, once, and nothing after that. The
 * handler may abort until it has been told the end, also while the response that has arrived is being passed on.
 */
export class Delivery implements TransferListener {
  readonly cancellation: Cancellation = new Cancellation();
  readonly #sink: DispatchSink;
  readonly #onDone: (delivery: Delivery) => void;
  #isDone = false;
  #aborted: Promise<never> | undefined = undefined;

  /** @param onDone called once, before the handler is told the end or an error */
  constructor(sink: DispatchSink, onDone: (delivery: Delivery) => void) {
    this.#sink = sink;
    this.#onDone = onDone;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Rejects when the handler aborts. */
  get aborted(): Promise<never> {
    this.#aborted ??= new Promise((_resolve, reject) => this.cancellation.onCancel(reject));
    this.#aborted.catch(() => {});
    return this.#aborted;
  }

  /** Tells the handler that the request begins; it may abort it at once. */
  start(): void {
    try {
      this.#sink.start(this.abort);
    } catch (error) {
      this.abort(error);
    }
  }

  /** The handler, or the end of its dispatcher, gives the request up. The handler is told the reason before this returns, as by undici. */
  readonly abort = (given?: unknown): void => {
    if (this.#isDone) return;
    const reason = given ?? new errors.RequestAbortedError();
    this.cancellation.cancel(reason);
    this.fail(reason);
  };

  bodySent(chunk: Uint8Array): void {
    this.#tell(() => this.#sink.bodySent(chunk));
  }

  requestSent(): void {
    this.#tell(() => this.#sink.requestSent());
  }

  responseStarted(): void {
    this.#tell(() => this.#sink.responseStarted());
  }

  information(status: number, headers: readonly string[], statusText: string): void {
    this.#tell(() => this.#sink.information(status, headers, statusText));
  }

  /** The request has failed. */
  fail(error: unknown): void {
    if (this.#isDone) return;
    this.#finish();
    // As it is: the reason of an abort may be any value.
    this.#sink.error(error as Error);
  }

  /** The response has ended. An error of the handler is told to it. */
  end(trailers: readonly string[]): void {
    if (this.#isDone) return;
    this.#finish();
    try {
      this.#sink.end(trailers);
    } catch (error) {
      this.#sink.error(error as Error);
    }
  }

  /** The connection is another protocol's. */
  upgraded(tell: () => void): void {
    if (this.#isDone) return;
    this.#finish();
    tell();
  }

  /** Tells how an attempt goes. An error of the handler aborts the request, as with undici. */
  #tell(tell: () => void): void {
    if (this.#isDone) return;
    try {
      tell();
    } catch (error) {
      this.abort(error);
    }
  }

  #finish(): void {
    this.#isDone = true;
    this.#onDone(this);
  }
}
