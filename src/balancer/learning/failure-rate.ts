/**
 * Time over which a rate averages outcomes, in milliseconds, and the bounds of the step of one outcome: among many outcomes each moves
 * the rate little, and after a silence one moves it half of the way.
 */
const windowMs = 1_000;
const leastStep = 0.01;
const mostStep = 0.5;
/** Rates below this count as 0. */
export const negligible = 1e-3;

/** The recent failure rate of one instance, from 0 to 1. It halves in every `halfLifeMs` without an outcome. */
export class FailureRate {
  #rate = 0;
  #at = Number.NEGATIVE_INFINITY;

  /** @param badness 0 for a success, 1 for a failure, or a number between */
  record(badness: number, now: number, halfLifeMs: number): void {
    const rate = this.at(now, halfLifeMs);
    const next = rate + stepAfter(now - this.#at) * (badness - rate);
    this.#rate = badness === 0 && next < negligible ? 0 : next;
    this.#at = now;
  }

  /** The rate at `now`. */
  at(now: number, halfLifeMs: number): number {
    return faded(this.#rate, now - this.#at, halfLifeMs);
  }
}

/** A rate after a time without an outcome. */
export function faded(rate: number, silenceMs: number, halfLifeMs: number): number {
  return rate > 0 && silenceMs > 0 ? rate * 2 ** (-silenceMs / halfLifeMs) : rate;
}

/** The part of the way to an outcome that it moves the rate, by the time since the outcome before. */
export function stepAfter(silenceMs: number): number {
  return silenceMs > 0 ? Math.min(mostStep, Math.max(leastStep, 1 - Math.exp(-silenceMs / windowMs))) : leastStep;
}

/** The number of outcomes that a rate is made of, by the mean time between them. */
export function outcomesOf(everyMs: number): number {
  const step = stepAfter(everyMs);
  return (2 - step) / step;
}
