import type { Schedule } from "./schedule.ts";

/** Number of picks after which the counters restart, before the products below lose digits. */
const maxRounds = 2 ** 20;

/**
 * Smooth weighted round-robin with exactly nginx's sequence (`ngx_http_upstream_get_peer`): weights {5, 1, 1} give a a b a c a a.
 * nginx adds the weight of each member to its current weight at every pick, picks the highest, and subtracts the sum of all weights
 * from it. Here the current weight is computed as weight × picks − what was subtracted: the same number, with one write per pick.
 */
export class SmoothSchedule implements Schedule {
  readonly #weights: Float64Array;
  readonly #taken: Float64Array;
  readonly #total: number;
  #rounds = 0;

  /** @param currents the current weight of each member, 0 at the beginning of the sequence */
  constructor(weights: Float64Array, currents: Float64Array) {
    this.#weights = weights;
    // A member of weight 0 has no turn, not even when all others are below 0.
    this.#taken = weights.map((weight, index) => (weight > 0 ? -(currents[index] as number) : Number.POSITIVE_INFINITY));
    this.#total = weights.reduce((sum, weight) => sum + weight, 0);
  }

  next(): number {
    const weights = this.#weights;
    const taken = this.#taken;
    const rounds = ++this.#rounds;
    const size = weights.length;
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    let index = 0;
    // Unrolled by four, the loop takes two thirds of the time.
    for (; index + 3 < size; index += 4) {
      const first = (weights[index] as number) * rounds - (taken[index] as number);
      const second = (weights[index + 1] as number) * rounds - (taken[index + 1] as number);
      const third = (weights[index + 2] as number) * rounds - (taken[index + 2] as number);
      const fourth = (weights[index + 3] as number) * rounds - (taken[index + 3] as number);
      if (first > highest) {
        highest = first;
        best = index;
      }
      if (second > highest) {
        highest = second;
        best = index + 1;
      }
      if (third > highest) {
        highest = third;
        best = index + 2;
      }
      if (fourth > highest) {
        highest = fourth;
        best = index + 3;
      }
    }
    for (; index < size; index++) {
      const current = (weights[index] as number) * rounds - (taken[index] as number);
      if (current > highest) {
        highest = current;
        best = index;
      }
    }
    taken[best] = (taken[best] as number) + this.#total;
    if (rounds === maxRounds) this.#begin();
    return best;
  }

  /** nginx's `current_weight`. */
  currentOf(index: number): number {
    const taken = this.#taken[index] as number;
    return taken === Number.POSITIVE_INFINITY ? 0 : (this.#weights[index] as number) * this.#rounds - taken;
  }

  lagOf(index: number): number {
    return this.currentOf(index) / (this.#total || 1);
  }

  #begin(): void {
    for (const [index, weight] of this.#weights.entries()) this.#taken[index] = (this.#taken[index] as number) - weight * this.#rounds;
    this.#rounds = 0;
  }
}
