import type { Clock } from "../../core/clock.ts";

const burst = 2;

/**
 * A token bucket for the queries of one watch. A registry, or a proxy before it, that answers every blocking query at once would otherwise
 * be queried thousands of times a second.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #tokens = burst;
  #filledAt: number;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#filledAt = clock.now();
  }

  /** Takes a token. Returns the time until it may be used, in milliseconds. */
  take(): number {
    if (this.#intervalMs === 0) return 0;
    const now = this.#clock.now();
    this.#tokens = Math.min(burst, this.#tokens + (now - this.#filledAt) / this.#intervalMs);
    this.#filledAt = now;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : -this.#tokens * this.#intervalMs;
  }
}
