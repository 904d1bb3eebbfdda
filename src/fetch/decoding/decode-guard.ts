import type { Clock, Timer } from "../../core/clock.ts";
import { type AttemptRecord, MeshError } from "../../core/errors.ts";
import type { ResponseBody } from "../../core/http/body.ts";

/** The bounds of a call, which hold while its body is decoded: that may take longer than its bytes take to arrive. */
export interface DecodeBounds {
  readonly clock: Clock;
  /** In milliseconds of the clock; `Infinity` without a limit. */
  readonly deadline: number;
  /** The caller's signal. */
  readonly signal: AbortSignal | undefined;
}

/** The call whose response is decoded. */
export interface DecodedCall extends DecodeBounds {
  /** The attempts of the call so far, which an error about the content names. */
  readonly attempts?: readonly AttemptRecord[];
}

/** A body that arrived in time and is read after the deadline is decoded for so long at most, in milliseconds. */
const lateMs = 1_000;

/** Ends the decoding of one body when the body fails, at the deadline of its call, and at the caller's abort, also after its last byte has arrived. */
export class DecodeGuard {
  readonly #service: string;
  readonly #bounds: DecodeBounds | undefined;
  #timer: Timer = undefined;
  #stopped: { readonly reason: unknown } | undefined = undefined;
  #isOver = false;
  /** Rejects the step that is under way. */
  #reject: ((reason: unknown) => void) | undefined = undefined;

  constructor(body: ResponseBody, service: string, bounds: DecodeBounds | undefined) {
    this.#service = service;
    this.#bounds = bounds;
    body.onClose((error) => {
      if (error === undefined) this.#watch();
      else this.#stop(error);
    });
  }

  /** One step of the decoding; rejects as soon as that has to end. */
  step<Value>(work: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== undefined) {
        work.catch(() => {});
        reject(this.#stopped.reason);
        return;
      }
      this.#reject = reject;
      work.then(resolve, reject);
    });
  }

  /** The decoding has ended. */
  end(): void {
    this.#isOver = true;
    this.#bounds?.clock.clearTimer(this.#timer);
    this.#bounds?.signal?.removeEventListener("abort", this.#onAbort);
  }

  /** The body has arrived, and with that its call has ended: from now on its bounds are kept here. */
  #watch(): void {
    if (this.#bounds === undefined || this.#isOver) return;
    const { clock, deadline, signal } = this.#bounds;
    const leftMs = deadline - clock.now();
    if (leftMs !== Number.POSITIVE_INFINITY) this.#timer = clock.setTimer(this.#onDeadline, leftMs > 0 ? leftMs : lateMs);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  readonly #onDeadline = (): void => {
    const message = `the body of a response of "${this.#service}" was not decoded within the deadline`;
    this.#stop(new MeshError("ERR_MESH_TIMEOUT", message, { service: this.#service, maybeExecuted: true }));
  };

  readonly #onAbort = (): void => this.#stop(this.#bounds?.signal?.reason);

  #stop(reason: unknown): void {
    if (this.#isOver || this.#stopped !== undefined) return;
    this.#stopped = { reason };
    this.#reject?.(reason);
  }
}
