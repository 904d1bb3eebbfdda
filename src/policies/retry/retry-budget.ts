import type { Clock } from "../../core/clock.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { number, ratio } from "../../core/settings/rules.ts";
import { SlidingSum } from "../sliding-sum.ts";

/** The budget of retries of a service; `retry.budget` in the options of the mesh. */
export interface RetryBudgetOptions {
  /** Retries allowed per request, 0–1. @default 0.2 */
  readonly ratio?: number;
  /** Further retries allowed per second, for services with few requests. @default 10 */
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
 * Bounds the retries of one service to a share of its requests over the last 10 s, and a minimum beside it. In an outage, a fixed number of
 * retries multiplies the load, where a budget adds a fifth. Its defaults are those of Finagle and Linkerd (20 %, 10/s, 10 s).
 */
export class RetryBudget {
  #ratio = 0;
  #floor = 0;
  readonly #requests: SlidingSum;
  readonly #retries: SlidingSum;

  constructor(options: RetryBudgetOptions, clock: Clock) {
    this.adjust(options);
    this.#requests = new SlidingSum(slots, slotMs, clock);
    this.#retries = new SlidingSum(slots, slotMs, clock);
  }

  /** Takes other options; the requests and retries that it has counted stay. */
  adjust(options: RetryBudgetOptions): void {
    const { ratio, minRetriesPerSecond } = retryBudgetOptions.settle(options);
    this.#ratio = ratio;
    this.#floor = minRetriesPerSecond * ((slots * slotMs) / 1_000);
  }

  /** Adds a request that is no retry; with a `weight` below 1 it earns less than others. */
  deposit(weight = 1): void {
    this.#requests.add(weight);
  }

  /** Retries that the budget allows at this moment. */
  get left(): number {
    return Math.max(0, Math.floor(this.#requests.total * this.#ratio + this.#floor - this.#retries.total));
  }

  /** Takes one retry out of the budget; `false` where none is left. */
  withdraw(): boolean {
    if (this.#retries.total + 1 > this.#requests.total * this.#ratio + this.#floor) return false;
    this.#retries.add();
    return true;
  }
}
