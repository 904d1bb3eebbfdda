import type { Clock, Timer } from "../core/clock.ts";
import type { ServerRequest } from "../server/node-server.ts";

/** Why the body of a request could not be read: the fault is the client's. */
export class BodyRefused extends Error {
  override readonly name = "BodyRefused";
  /** The status of the answer; 0 where there is no client any more. */
  readonly status: 0 | 408 | 413;

  constructor(status: 0 | 408 | 413, message: string) {
    super(message);
    this.status = status;
  }
}

/** The limits of a body while it is read. */
export interface BodyLimits {
  readonly maxBytes: number | false;
  /** How long its next part may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

type Step = IteratorResult<Uint8Array, undefined>;

/**
 * The body of a request as the mesh sends it: part by part, at the pace of the instance. A reader that stops early leaves the rest on the connection, whose
 * response still has to be sent.
 */
export class RequestBodyStream implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #request: ServerRequest;
  readonly #limits: BodyLimits;
  #bytes = 0;
  #hasEnded = false;
  #error: BodyRefused | undefined = undefined;
  #waiting: { readonly resolve: (step: Step) => void; readonly reject: (error: unknown) => void; readonly timer: Timer } | undefined =
    undefined;
  readonly #onReadable = (): void => this.#look();
  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#look();
  };
  readonly #onClose = (): void => this.#fail(new BodyRefused(0, "the client went away before its request was whole"));

  constructor(request: ServerRequest, limits: BodyLimits) {
    this.#request = request;
    this.#limits = limits;
    request.on("readable", this.#onReadable).on("end", this.#onEnd).on("close", this.#onClose).on("error", this.#onClose);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    return new Promise((resolve, reject) => {
      const { clock, timeoutMs } = this.#limits;
      const timer = clock.setTimer(() => this.#fail(new BodyRefused(408, "the rest of the request took too long")), timeoutMs);
      this.#waiting = { resolve, reject, timer };
      this.#look();
    });
  }

  return(): Promise<Step> {
    this.#letGo();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Hands on what has come, where the reader waits for it. */
  #look(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    if (this.#error === undefined) {
      const chunk = this.#request.read() as Uint8Array | null;
      const { maxBytes } = this.#limits;
      if (chunk !== null) {
        this.#bytes += chunk.byteLength;
        if (maxBytes === false || this.#bytes <= maxBytes) {
          this.#settle()?.resolve({ done: false, value: chunk });
          return;
        }
        this.#fail(new BodyRefused(413, "the request is too large"));
        return;
      }
      if (!this.#hasEnded) return;
      this.#letGo();
      this.#settle()?.resolve({ done: true, value: undefined });
      return;
    }
    this.#settle()?.reject(this.#error);
  }

  #fail(error: BodyRefused): void {
    if (this.#hasEnded) return;
    this.#error ??= error;
    this.#letGo();
    this.#look();
  }

  #settle() {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#limits.clock.clearTimer(waiting.timer);
    return waiting;
  }

  #letGo(): void {
    this.#request.off("readable", this.#onReadable).off("end", this.#onEnd).off("close", this.#onClose);
  }
}

/** Takes a small body whole. */
export interface SmallBodyReceiver {
  read(body: Uint8Array): void;
  unreadable(error: BodyRefused): void;
}

/** Reads a body of known length whole. */
export function readSmallBody(request: ServerRequest, { timeoutMs, clock }: BodyLimits, receiver: SmallBodyReceiver): void {
  const chunks: Buffer[] = [];
  const end = (): void => {
    clock.clearTimer(timer);
    request.off("data", onData).off("end", onEnd).off("close", onClose);
  };
  const fail = (status: 0 | 408, message: string): void => {
    end();
    receiver.unreadable(new BodyRefused(status, message));
  };
  const onData = (chunk: Buffer): void => void chunks.push(chunk);
  const onEnd = (): void => {
    end();
    receiver.read(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
  };
  const onClose = (): void => fail(0, "the client went away before its request was whole");
  const timer = clock.setTimer(() => fail(408, "the rest of the request took too long"), timeoutMs);
  request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", ignored);
}

/** The error of a request that was cut off: its close tells. */
function ignored(): void {}
