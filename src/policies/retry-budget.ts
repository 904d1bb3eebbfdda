import type { Clock } from "../core/clock.ts";

/** How many retries a service may have; `retry.budget` in the options of the mesh. */
export interface RetryBudgetOptions {
  /** Retries allowed per request, 0–1. @default 0.2 */
  readonly ratio?: number;
  /** Retries allowed per second on top, so that a service with few requests can retry at all. @default 10 */
  readonly perSecond?: number;
}

const slots = 10;
const slotMs = 1_000;

/**
 * Bounds the retries of one service to a share of its requests over the last 10 s plus a floor: in an outage a fixed count
 * of retries multiplies the load, a budget adds a fifth. Figures of Finagle's and Linkerd's default (20 %, 10/s, 10 s).
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #floor: number;
  readonly #clock: Clock;
  readonly #requests = new Float64Array(slots);
  readonly #retries = new Float64Array(slots);
  #requestsSum = 0;
  #retriesSum = 0;
  #slot = 0;

  constructor({ ratio = 0.2, perSecond = 10 }: RetryBudgetOptions, clock: Clock) {
    this.#ratio = ratio;
    this.#floor = perSecond * ((slots * slotMs) / 1_000);
    this.#clock = clock;
    this.#slot = Math.floor(clock.now() / slotMs);
  }

  /** A request (not a retry) was made; `weight` below 1: it earns less than others. */
  deposit(weight = 1): void {
    const index = this.#advance();
    this.#requests[index] = (this.#requests[index] as number) + weight;
    this.#requestsSum += weight;
  }

  /** Takes one retry out of the budget; `false` when there is none left. */
  withdraw(): boolean {
    const index = this.#advance();
    if (this.#retriesSum + 1 > this.#requestsSum * this.#ratio + this.#floor) return false;
    this.#retries[index] = (this.#retries[index] as number) + 1;
    this.#retriesSum++;
    return true;
  }

  #advance(): number {
    const now = Math.floor(this.#clock.now() / slotMs);
    for (let steps = Math.min(now - this.#slot, slots); steps > 0; steps--) {
      const index = (now - steps + 1) % slots;
      this.#requestsSum -= this.#requests[index] as number;
      this.#retriesSum -= this.#retries[index] as number;
      this.#requests[index] = 0;
      this.#retries[index] = 0;
    }
    this.#slot = now;
    return now % slots;
  }
}
