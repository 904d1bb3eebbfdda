import type { Clock, Random } from "../../../core/clock.ts";
import { FailureRun } from "../../../core/failure-run.ts";

const baseMs = 100;
const capMs = 10_000;

/** The pauses before a stream is opened again. */
export class GrowingPause {
  readonly #random: Random;
  readonly #run: FailureRun;

  constructor(clock: Clock, random: Random) {
    this.#random = random;
    this.#run = new FailureRun(clock);
  }

  /** The stream has brought a good message. */
  answered(): void {
    this.#run.answered();
  }

  /** The stream has ended. Returns the milliseconds until the next one may be opened: at least half of a length that doubles. */
  failed(): number {
    const lengthMs = Math.min(capMs, baseMs * 2 ** this.#run.failed());
    this.#run.opened();
    // The processes of a machine lose their agent at the same moment, and must not return in step.
    return lengthMs * (0.5 + 0.5 * this.#random());
  }
}
