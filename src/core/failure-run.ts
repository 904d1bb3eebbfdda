import type { Clock } from "./clock.ts";

/** A source that has lived this long after a good answer has shown that it is well, in milliseconds. */
const wellAfterMs = 10_000;
/** Failures that count after a good answer: the source is there, and asking it again is worth more than to one that is down. */
const countedAfterAnswer = 3;
/** More failures make no pause longer. */
const mostCounted = 20;

/**
 * The failures in a row of a source that is opened again and again, by which the pause before the next opening grows. They outlive a good answer: a source
 * that answers and fails in turn is asked no more often than one that only fails.
 */
export class FailureRun {
  readonly #clock: Clock;
  #failures = 0;
  #answeredAt: number | undefined = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The source is opened. */
  opened(): void {
    this.#answeredAt = undefined;
  }

  /** It has given a good answer. */
  answered(): void {
    this.#answeredAt ??= this.#clock.now();
  }

  /** It has failed. Returns the failures before this one that count. */
  failed(): number {
    if (this.#answeredAt !== undefined)
      this.#failures = this.#clock.now() - this.#answeredAt >= wellAfterMs ? 0 : Math.min(this.#failures, countedAfterAnswer);
    const before = this.#failures;
    this.#failures = Math.min(before + 1, mostCounted);
    return before;
  }
}
