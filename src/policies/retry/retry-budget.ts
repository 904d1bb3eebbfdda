import type { Clock } from "../../core/clock.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { number, ratio } from "../../core/settings/rules.ts";
import { SlidingSum } from "../sliding-sum.ts";

/** How many retries a service may have; `retry.budget` in the options of the mesh. */
export interface RetryBudgetOptions {
  /** Retries allowed per request, 0–1. @default 0.2 */
  readonly ratio?: number;
  /** Retries allowed per second on top, so that a service with few requests can retry at all. @default 10 */
  readonly minRetriesPerSecond?: number;
}

/** The rules of {@link RetryBudgetOptions}. */
export const retryBudgetOptions = optionTable<RetryBudgetOptions>()({
  ratio: ratio(0.2),
  minRetriesPerSecond: number({ default: 10, min: 0 }),
});

const slots = 10;
const slotMs = 1_000;

/**
 * Bounds the retries of one service to a share of its requests over the last 10 s plus a floor: in an outage a fixed count
 * of retries multiplies the load, a budget adds a fifth. Figures of Finagle's and Linkerd's default (20 %, 10/s, 10 s).
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #floor: number;
  readonly #requests: SlidingSum;
  readonly #retries: SlidingSum;

  constructor(options: RetryBudgetOptions, clock: Clock) {
    const { ratio, minRetriesPerSecond } = retryBudgetOptions.settle(options);
    this.#ratio = ratio;
    this.#floor = minRetriesPerSecond * ((slots * slotMs) / 1_000);
    this.#requests = new SlidingSum(slots, slotMs, clock);
    this.#retries = new SlidingSum(slots, slotMs, clock);
  }

  /** A request (not a retry) was made; `weight` below 1: it earns less than others. */
  deposit(weight = 1): void {
    this.#requests.add(weight);
  }

  /** Retries that it has at this moment. */
  get left(): number {
    return Math.max(0, Math.floor(this.#requests.total * this.#ratio + this.#floor - this.#retries.total));
  }

  /** Takes one retry out of the budget; `false` when there is none left. */
  withdraw(): boolean {
    if (this.#retries.total + 1 > this.#requests.total * this.#ratio + this.#floor) return false;
    this.#retries.add();
    return true;
  }
}
