import { maxRouteClasses } from "./route-classes.ts";

/** How much one outcome moves the rate of its route. */
const step = 0.1;
/** Below it an instance counts as clean, and what was kept of its failures is dropped. */
const negligible = 1e-3;

/**
 * The recent share of failures of one instance per route class, from 0 to 1: a rate and not a count, so that latency still
 * decides where every instance fails a little. A rate halves in every `halfLifeMs` without an outcome.
 */
export class FailureRates {
  /** A bit per route class that has had an outcome. */
  #seen = 0;
  // Absent while the instance is clean, which is nearly always: ten thousand instances then cost no arrays.
  #rates: Float64Array | undefined;
  #at: Float64Array | undefined;

  /** Takes one outcome: 0 for a success, 1 for a failure, or something between. */
  record(route: number, badness: number, now: number, halfLifeMs: number): void {
    this.#seen |= 1 << route;
    if (this.#rates === undefined || this.#at === undefined) {
      if (badness === 0) return;
      this.#rates = new Float64Array(maxRouteClasses);
      this.#at = new Float64Array(maxRouteClasses);
    }
    const rate = this.#rateOf(route, now, halfLifeMs);
    this.#rates[route] = rate + step * (badness - rate);
    this.#at[route] = now;
    if (badness === 0 && this.#isClean(now, halfLifeMs)) {
      this.#rates = undefined;
      this.#at = undefined;
    }
  }

  /** The rate of a route class; for one that the instance has not served, the lowest of those it has. */
  of(route: number, now: number, halfLifeMs: number): number {
    if (this.#rates === undefined) return 0;
    if ((this.#seen & (1 << route)) !== 0) return this.#rateOf(route, now, halfLifeMs);
    let lowest = 1;
    for (let other = 0; other < maxRouteClasses; other++) {
      if ((this.#seen & (1 << other)) !== 0) lowest = Math.min(lowest, this.#rateOf(other, now, halfLifeMs));
    }
    return lowest;
  }

  #rateOf(route: number, now: number, halfLifeMs: number): number {
    const rate = this.#rates?.[route] ?? 0;
    if (rate === 0) return 0;
    const elapsed = now - (this.#at?.[route] ?? now);
    return elapsed > 0 ? rate * 2 ** (-elapsed / halfLifeMs) : rate;
  }

  #isClean(now: number, halfLifeMs: number): boolean {
    for (let route = 0; route < maxRouteClasses; route++) {
      if (this.#rateOf(route, now, halfLifeMs) >= negligible) return false;
    }
    return true;
  }
}
