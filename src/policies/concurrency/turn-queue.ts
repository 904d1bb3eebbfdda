import type { Clock } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import type { MeshError } from "../../core/errors.ts";
import { type Waiter, WaitQueue } from "./wait-queue.ts";

/** The limits of a {@link TurnQueue}, and the parts that it works with. */
export interface TurnQueueOptions {
  /** Attempts that may wait. */
  readonly maxQueued: number;
  /** Time for which one may wait, in milliseconds. */
  readonly queueTimeoutMs: number;
  readonly clock: Clock;
  /** Makes the error of an attempt that may not wait, or may wait no longer. */
  readonly refusal: (request: MeshRequest, why: string) => MeshError;
}

/**
 * A queue of attempts that wait for a place, by priority. It is bounded in number and in time; an attempt whose call has ended leaves it.
 */
export class TurnQueue {
  #options: TurnQueueOptions;
  readonly #queue: WaitQueue;

  constructor(options: TurnQueueOptions) {
    this.#options = options;
    this.#queue = new WaitQueue(options.maxQueued);
  }

  /** Attempts that wait. */
  get size(): number {
    return this.#queue.size;
  }

  /** Takes other limits, for attempts that come: those that wait keep their places and their time. */
  adjust(limits: Pick<TurnQueueOptions, "maxQueued" | "queueTimeoutMs">): void {
    this.#options = { ...this.#options, ...limits };
    this.#queue.adjust(limits.maxQueued);
  }

  /** Lets the next attempt go on; `false` where none waits. */
  next(): boolean {
    const waiter = this.#queue.take();
    waiter?.onTurn();
    return waiter !== undefined;
  }

  /** Resolves when it is the request's turn. Rejects with the refusal, or with the reason for which its call was cancelled. */
  wait(request: MeshRequest): Promise<void> {
    const { queueTimeoutMs, clock, refusal } = this.#options;
    return new Promise((resolve, reject) => {
      const { cancellation, options } = request;
      const settle = (act: () => void) => {
        clock.clearTimer(timer);
        cancellation.removeListener(onCancel);
        this.#queue.remove(waiter);
        act();
      };
      const onCancel = (reason: unknown) => settle(() => reject(reason));
      const refuse = (why: string) => settle(() => reject(refusal(request, why)));
      const waiter: Waiter = {
        priority: options.priority ?? "normal",
        onTurn: () => settle(resolve),
        onShed: () => refuse("its place in the queue was given to a call of a higher priority"),
      };
      if (!this.#queue.add(waiter)) {
        reject(refusal(request, `${this.size} wait already (concurrency.maxQueued)`));
        return;
      }
      const timer = clock.setTimer(() => refuse(`it has waited for ${queueTimeoutMs} ms (concurrency.queueTimeoutMs)`), queueTimeoutMs);
      cancellation.onCancel(onCancel);
    });
  }
}
