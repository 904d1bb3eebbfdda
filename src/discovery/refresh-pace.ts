import type { Clock, Random, Timer } from "../core/clock.ts";

/** Jitter before the first question of a hint: all clients of an instance learn of its end at once. */
const spreadMs = 100;
/** Least time between two questions, doubled by each one that has changed nothing. */
const leastMs = 5_000;
const mostMs = 30_000;

/**
 * The pace at which hints of failing calls become questions to the source: the first one at once, then one in five seconds, and one in
 * thirty where asking changes nothing. A hint that comes too early is kept until its time.
 */
export class RefreshPace {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ask: () => void;
  #timer: Timer | undefined = undefined;
  #earliest = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #gapMs = leastMs;
  #isStopped = false;

  /** @param ask asks the source again */
  constructor(clock: Clock, random: Random, ask: () => void) {
    this.#clock = clock;
    this.#random = random;
    this.#ask = ask;
  }

  /** Calls have failed in a way that a newer answer of the source may mend. Costs nothing while a question is due. */
  hint(): void {
    if (this.#timer !== undefined || this.#isStopped) return;
    const waitMs = Math.max(this.#earliest - this.#clock.now(), 0) + spreadMs * this.#random();
    this.#timer = this.#clock.setTimer(
      () => {
        this.#timer = undefined;
        // The last quarter is random, so that clients do not stay in step.
        this.#askedAt = this.#clock.now();
        this.#earliest = this.#askedAt + this.#gapMs * (0.75 + 0.25 * this.#random());
        this.#gapMs = Math.min(2 * this.#gapMs, mostMs);
        this.#ask();
      },
      waitMs,
      false,
    );
  }

  /** The source has told of a change: hints so far were about other data, and the next one is a new beginning. */
  changed(): void {
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#gapMs = leastMs;
    this.#earliest = Math.min(this.#earliest, this.#askedAt + leastMs);
  }

  stop(): void {
    this.#clock.clearTimer(this.#timer);
    this.#isStopped = true;
  }
}
