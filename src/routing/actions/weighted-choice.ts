import { xxh64 } from "../../core/hashing/xxh64.ts";

/**
 * Chooses one of several by weight. A point is drawn by chance, or is the hash of a key, so that calls with the same key choose the same while the weights stay.
 * With two, a growing weight of the second takes keys over from the first and gives none back.
 */
export class WeightedChoice {
  readonly #sums: number[];
  #weights: readonly number[];
  #total = 0;

  constructor(weights: readonly number[]) {
    this.#sums = [...weights];
    this.#weights = weights;
    this.#sum(weights);
  }

  /** Takes other weights, as many as before; nothing is done for the array that it has. */
  use(weights: readonly number[]): void {
    if (weights !== this.#weights) this.#sum(weights);
  }

  /** The index of the one at a point of the whole, from 0 to below 1. */
  at(share: number): number {
    const sums = this.#sums;
    const point = share * this.#total;
    for (let index = 0; index < sums.length; index++) if (point < (sums[index] as number)) return index;
    // A random source that gives 1: the last that has a weight.
    return Math.max(0, sums.indexOf(this.#total));
  }

  /** The share of each, 0 to 1. */
  get shares(): readonly number[] {
    return this.#sums.map((sum, index) => (this.#total === 0 ? 0 : (sum - (this.#sums[index - 1] ?? 0)) / this.#total));
  }

  #sum(weights: readonly number[]): void {
    let total = 0;
    for (const [index, weight] of weights.entries()) {
      total += weight;
      this.#sums[index] = total;
    }
    this.#weights = weights;
    this.#total = total;
  }
}

/** The point of a key, from 0 to below 1; `undefined` for a call without one. */
export function keyShare(key: string | undefined): number | undefined {
  if (key === undefined || key === "") return undefined;
  // The upper half alone has more points than a table has weights; with the lower one, rounding could make it 1.
  return xxh64(key).high / 4_294_967_296;
}
