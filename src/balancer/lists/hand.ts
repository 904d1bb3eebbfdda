import type { Random } from "../../core/clock.ts";
import { drawIndex } from "./draw.ts";

/** Number of candidates in a hand. */
export const handSize = 10;
/** How many of them a pick replaces. */
const replaced = 5;
/** How many of a list that is longer than this: reading what is in none of the processor's caches is most of the time of a pick. */
const longList = 1_000;
const replacedOfLong = 2;

/**
 * A few candidates of a long list. Each pick replaces some of them and reads the others again, which are in the processor's caches. They
 * come in passes through the whole list: every candidate is in hand equally often, for equally many picks, in an order that each pass
 * draws at random.
 */
export class Hand {
  /** Indexes of the list. */
  readonly indexes: Uint32Array = new Uint32Array(handSize);
  readonly #length: number;
  readonly #random: Random;
  readonly #replaced: number;
  #oldest = 0;
  #next = 0;
  #stride = 1;
  #left = 0;

  /** @param length number of candidates in the list, 2 or more */
  constructor(length: number, random: Random) {
    this.#length = length;
    this.#random = random;
    this.#replaced = length > longList ? replacedOfLong : replaced;
    this.#deal(handSize - this.#replaced);
  }

  /** Replaces the candidates that have been in hand for longest, and returns all. */
  next(): Uint32Array {
    this.#deal(this.#replaced);
    return this.indexes;
  }

  #deal(count: number): void {
    for (let card = 0; card < count; card++) {
      if (this.#left-- === 0) this.#beginPass();
      this.indexes[this.#oldest] = this.#next;
      this.#oldest = (this.#oldest + 1) % handSize;
      this.#next = (this.#next + this.#stride) % this.#length;
    }
  }

  /** Steps of a length that has no divisor in common with the list's come to each index once. */
  #beginPass(): void {
    this.#left = this.#length - 1;
    this.#next = drawIndex(this.#random, this.#length);
    this.#stride = 1 + drawIndex(this.#random, this.#length - 1);
    while (commonDivisor(this.#stride, this.#length) > 1) this.#stride++;
  }
}

function commonDivisor(one: number, other: number): number {
  return other === 0 ? one : commonDivisor(other, one % other);
}
