import { type Clock, fullJitter, type Random } from "../core/clock.ts";

const backoffBaseMs = 100;
/** Upper bound of the pause, so that the return of a registry is noticed soon however long it was away. */
const backoffCapMs = 5_000;
/** Failures that count after a good answer: the source is there, and asking it again is worth more than to one that is down. */
const countedAfterAnswer = 3;
/** A watch that has lived this long after an answer has shown that its source is well. */
const wellAfterMs = 10_000;
/**
 * Least time from one start to the next, but for the first failure of a source that was well. Less than half a second, after which a fallback
 * takes over: a short disturbance must be over by then.
 */
const floorMs = 350;

/**
 * The pauses before a watch that has failed is started again. They outlive the watches: a source that answers and fails in turn is asked no
 * more often than one that only fails.
 */
export class RestartPause {
  readonly #clock: Clock;
  readonly #random: Random;
  #failures = 0;
  #startedAt = 0;
  #answeredAt: number | undefined = undefined;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A watch is started. */
  started(): void {
    this.#startedAt = this.#clock.now();
    this.#answeredAt = undefined;
  }

  /** The watch that was started last has given a good answer. */
  answered(): void {
    this.#answeredAt ??= this.#clock.now();
  }

  /** The watch has failed. Returns the milliseconds until the next one may start. */
  failed(): number {
    const now = this.#clock.now();
    if (this.#answeredAt !== undefined) {
      this.#failures = now - this.#answeredAt >= wellAfterMs ? 0 : Math.min(this.#failures, countedAfterAnswer);
    }
    const backoffMs = fullJitter(this.#random, this.#failures, { baseMs: backoffBaseMs, capMs: backoffCapMs });
    const leastMs = this.#failures === 0 ? 0 : floorMs - (now - this.#startedAt);
    this.#failures = Math.min(this.#failures + 1, 20);
    return Math.max(backoffMs, leastMs);
  }
}
