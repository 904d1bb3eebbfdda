import { maxRouteClasses } from "./route-classes.ts";

/**
 * Time over which a rate averages outcomes, in milliseconds, and the bounds of the step of one outcome: among many outcomes each moves
 * the rate little, and after a silence one moves it half of the way.
 */
const windowMs = 1_000;
const leastStep = 0.01;
const mostStep = 0.5;
/** Rates below this count as 0, and their arrays are dropped. */
const negligible = 1e-3;

/**
 * The recent failure rate of one instance per route class, from 0 to 1. A rate and not a count, so that latency still decides where
 * every instance fails a little. A rate halves in every `halfLifeMs` without an outcome.
 */
export class FailureRates {
  /** A bit per route class that has had an outcome. */
  #seen = 0;
  // The arrays are absent while all rates are 0, which is nearly always: ten thousand instances then cost none.
  #rates: Float64Array | undefined;
  #at: Float64Array | undefined;
  /** Start of the attempt that failed last. */
  #failedSince: Float64Array | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;

  /**
   * Takes the outcome of an attempt.
   * @param badness 0 for a success, 1 for a failure, or a number between
   * @param startedAt the start of the attempt
   */
  record(route: number, badness: number, now: number, halfLifeMs: number, startedAt: number = now): void {
    this.#seen |= 1 << route;
    const lastAt = this.#lastAt;
    this.#lastAt = now;
    if (this.#rates === undefined || this.#at === undefined || this.#failedSince === undefined) {
      if (badness === 0) return;
      this.#rates = new Float64Array(maxRouteClasses);
      this.#at = new Float64Array(maxRouteClasses).fill(lastAt);
      this.#failedSince = new Float64Array(maxRouteClasses).fill(Number.NEGATIVE_INFINITY);
    }
    // The success of an attempt that began before the last failure does not show that the instance has recovered.
    if (badness === 0 && startedAt < (this.#failedSince[route] as number)) return;
    const rate = this.#rateOf(route, now, halfLifeMs);
    this.#rates[route] = rate + stepAfter(now - (this.#at[route] as number)) * (badness - rate);
    this.#at[route] = now;
    if (badness > 0) this.#failedSince[route] = startedAt;
    else if (this.#isClean(now, halfLifeMs)) {
      this.#rates = undefined;
      this.#at = undefined;
      this.#failedSince = undefined;
    }
  }

  /** The rate of a route class; for a class that the instance has not served yet, the lowest rate of the others. */
  of(route: number, now: number, halfLifeMs: number): number {
    if (this.#rates === undefined) return 0;
    if ((this.#seen & (1 << route)) !== 0) return this.#rateOf(route, now, halfLifeMs);
    let lowest = 1;
    for (let other = 0; other < maxRouteClasses; other++) {
      if ((this.#seen & (1 << other)) !== 0) lowest = Math.min(lowest, this.#rateOf(other, now, halfLifeMs));
    }
    return lowest;
  }

  /** The highest rate of all route classes. */
  worst(now: number, halfLifeMs: number): number {
    let highest = 0;
    for (let route = 0; this.#rates !== undefined && route < maxRouteClasses; route++) {
      highest = Math.max(highest, this.#rateOf(route, now, halfLifeMs));
    }
    return highest;
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

/** The part of the way to an outcome that it moves the rate, by the time since the outcome before. */
function stepAfter(silenceMs: number): number {
  return silenceMs > 0 ? Math.min(mostStep, Math.max(leastStep, 1 - Math.exp(-silenceMs / windowMs))) : leastStep;
}
