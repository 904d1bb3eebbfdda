import { type Clock, fullJitter, type Random } from "../core/clock.ts";
import { FailureRun } from "../core/failure-run.ts";

const backoffBaseMs = 100;
/** Upper bound of the pause, so that the return of a registry is noticed soon however long it was away. */
const backoffCapMs = 5_000;
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
  readonly #run: FailureRun;
  #startedAt = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#run = new FailureRun(clock);
  }

  /** A watch is started. */
  started(): void {
    this.#startedAt = this.#clock.now();
    this.#run.opened();
  }

  /** The watch that was started last has given a good answer. */
  answered(): void {
    this.#run.answered();
  }

  /** The watch has failed. Returns the milliseconds until the next one may start. */
  failed(): number {
    const failures = this.#run.failed();
    const backoffMs = fullJitter(this.#random, failures, { baseMs: backoffBaseMs, capMs: backoffCapMs });
    const leastMs = failures === 0 ? 0 : floorMs - (this.#clock.now() - this.#startedAt);
    return Math.max(backoffMs, leastMs);
  }
}
