import type { Clock, Random } from "../../../core/clock.ts";

const baseMs = 100;
const capMs = 10_000;
/** A stream that has lived this long after a good message has shown that the other end is well. */
const wellAfterMs = 10_000;
/** Failures that count after a good message: an end that answers and fails in turn is asked more slowly than a healthy one. */
const countedAfterMessage = 3;

/** The pauses before a stream is opened again. */
export class GrowingPause {
  readonly #clock: Clock;
  readonly #random: Random;
  #failures = 0;
  #answeredAt: number | undefined = undefined;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The stream has brought a good message. */
  answered(): void {
    this.#answeredAt ??= this.#clock.now();
  }

  /** The stream has ended. Returns the milliseconds until the next one may be opened: at least half of a length that doubles. */
  failed(): number {
    if (this.#answeredAt !== undefined)
      this.#failures = this.#clock.now() - this.#answeredAt >= wellAfterMs ? 0 : Math.min(this.#failures, countedAfterMessage);
    this.#answeredAt = undefined;
    const lengthMs = Math.min(capMs, baseMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 20);
    // The processes of a machine lose their agent at the same moment, and must not return in step.
    return lengthMs * (0.5 + 0.5 * this.#random());
  }
}
