import type { Clock } from "../core/clock.ts";

/** Watches that may begin each second once the first ones are used up. */
const perSecond = 16;

/**
 * The watches that may begin for names that discovery has never listed: `most` at once, then 16 a second. Names may come from outside of the
 * process, and each new one is a question to the registry. A name that turns out to have endpoints gives its place back.
 */
export class FirstWatches {
  readonly #most: number;
  readonly #clock: Clock;
  #left: number;
  #countedAt: number;

  constructor(most: number, clock: Clock) {
    this.#most = most;
    this.#clock = clock;
    this.#left = most;
    this.#countedAt = clock.now();
  }

  /** Takes one; `false` where none is left. */
  take(): boolean {
    const now = this.#clock.now();
    this.#left = Math.min(this.#most, this.#left + ((now - this.#countedAt) * perSecond) / 1_000);
    this.#countedAt = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Gives one back. */
  giveBack(): void {
    this.#left = Math.min(this.#most, this.#left + 1);
  }
}
