import type { Random } from "../../core/clock.ts";
import type { Schedule } from "./schedule.ts";

/** Above it a deadline is coarser than the shortest periods. */
const maxTime = 1e6;

/**
 * Earliest deadline first: each member is due again 1 / weight after it was picked, and the one that is due first is picked. The
 * shares are exact to a pick, as those of {@link SmoothSchedule} are, and a pick among ten thousand is some fourteen steps down
 * a heap.
 */
export class EdfSchedule implements Schedule {
  readonly #weights: Float64Array;
  readonly #deadlines: Float64Array;
  /** Indexes of the members that have a weight, the one with the earliest deadline first. */
  readonly #heap: Uint32Array;
  #now = 0;

  /** @param lags the place of each in its round; NaN where nothing is known, which `random` decides then */
  constructor(weights: Float64Array, lags: Float64Array | undefined, random: Random) {
    this.#weights = weights;
    this.#deadlines = weights.map((weight, index) => {
      const lag = lags?.[index] ?? Number.NaN;
      const phase = Number.isNaN(lag) ? random() : 0.5 - lag;
      return (phase >= 0 && phase <= 1 ? phase : phase > 1 ? 1 : 0) / weight;
    });
    this.#heap = Uint32Array.from(weights.keys()).filter((index) => (weights[index] as number) > 0);
    for (let at = (this.#heap.length >>> 1) - 1; at >= 0; at--) this.#sift(at);
  }

  next(): number {
    const index = this.#heap[0] as number;
    const now = this.#deadlines[index] as number;
    this.#now = now;
    this.#deadlines[index] = now + 1 / (this.#weights[index] as number);
    this.#sift(0);
    if (now > maxTime) this.#begin();
    return index;
  }

  lagOf(index: number): number {
    return 0.5 - ((this.#deadlines[index] as number) - this.#now) * (this.#weights[index] as number);
  }

  #begin(): void {
    for (const [index, deadline] of this.#deadlines.entries()) this.#deadlines[index] = deadline - this.#now;
    this.#now = 0;
  }

  /** Moves the member at `at` down to its place. Of equal deadlines the lower index comes first. */
  #sift(at: number): void {
    const heap = this.#heap;
    const deadlines = this.#deadlines;
    const size = heap.length;
    const index = heap[at] as number;
    const deadline = deadlines[index] as number;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      let least = heap[child] as number;
      let earliest = deadlines[least] as number;
      if (child + 1 < size) {
        const other = heap[child + 1] as number;
        const otherDeadline = deadlines[other] as number;
        if (otherDeadline < earliest || (otherDeadline === earliest && other < least)) {
          child++;
          least = other;
          earliest = otherDeadline;
        }
      }
      if (deadline < earliest || (deadline === earliest && index < least)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = index;
  }
}
