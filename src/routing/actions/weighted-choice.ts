import type { Random } from "../../core/clock.ts";
import { xxh64 } from "../../core/hashing/xxh64.ts";

/**
 * Chooses one of several by weight: by chance, or by the hash of a key, so that calls with the same key choose the same while the weights stay. With two, a
 * growing weight of the second takes keys over from the first and gives none back.
 */
export class WeightedChoice {
  readonly #sums: number[];
  #total = 0;

  constructor(weights: readonly number[]) {
    this.#sums = [...weights];
    this.replace(weights);
  }

  /** Takes other weights, as many as before. */
  replace(weights: readonly number[]): void {
    let total = 0;
    for (const [index, weight] of weights.entries()) {
      total += weight;
      this.#sums[index] = total;
    }
    this.#total = total;
  }

  /** The index of the chosen one. */
  choose(key: string | undefined, random: Random): number {
    return this.#at((key === undefined || key === "" ? random() : shareOf(key)) * this.#total);
  }

  /** The share of each, 0 to 1. */
  get shares(): readonly number[] {
    return this.#sums.map((sum, index) => (this.#total === 0 ? 0 : (sum - (this.#sums[index - 1] ?? 0)) / this.#total));
  }

  #at(point: number): number {
    const sums = this.#sums;
    for (let index = 0; index < sums.length; index++) if (point < (sums[index] as number)) return index;
    // A random source that gives 1: the last that has a weight.
    return Math.max(0, sums.indexOf(this.#total));
  }
}

/** The place of a key, 0 to 1. */
function shareOf(key: string): number {
  const { high, low } = xxh64(key);
  return (high + low / 4_294_967_296) / 4_294_967_296;
}
