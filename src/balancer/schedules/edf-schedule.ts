import type { Random } from "../../core/clock.ts";
import type { Schedule } from "./schedule.ts";

/** Largest time of the schedule: in larger numbers a deadline is rounded more coarsely than the shortest periods. */
const maxTime = 1e6;

/**
 * Earliest deadline first, as in Envoy: each member is due again 1 / weight after its turn, and the one that is due first has the next
 * turn. The shares are exact to one turn, as those of smooth weighted round-robin are, and a turn among ten thousand takes some
 * fourteen steps down a heap.
 */
export class EdfSchedule implements Schedule {
  readonly #weights: Float64Array;
  readonly #deadlines: Float64Array;
  /** Indexes of the members that have a weight, the one with the earliest deadline first. */
  readonly #heap: Uint32Array;
  #now = 0;

  /** @param lags the lag of each member ({@link Schedule.lagOf}); NaN: unknown, and drawn from `random` */
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

  /** Moves the member at `at` down to its place in the heap. Of equal deadlines the lower index comes first. */
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
