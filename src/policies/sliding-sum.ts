import type { Clock } from "../core/clock.ts";

/** A sum over the last `slots` × `slotMs` milliseconds, exact to one slot. */
export class SlidingSum {
  readonly #slotMs: number;
  readonly #clock: Clock;
  readonly #sums: Float64Array;
  #slot: number;
  #total = 0;

  constructor(slots: number, slotMs: number, clock: Clock) {
    this.#slotMs = slotMs;
    this.#clock = clock;
    this.#sums = new Float64Array(slots);
    this.#slot = Math.floor(clock.now() / slotMs);
  }

  /** The sum of the amounts added within that time. */
  get total(): number {
    this.#advance();
    return this.#total;
  }

  add(amount = 1): void {
    const index = this.#advance();
    this.#sums[index] = (this.#sums[index] as number) + amount;
    this.#total += amount;
  }

  /** Empties the slots that have expired; returns the index of the current one. */
  #advance(): number {
    const slots = this.#sums.length;
    const now = Math.floor(this.#clock.now() / this.#slotMs);
    for (let steps = Math.min(now - this.#slot, slots); steps > 0; steps--) {
      const index = (now - steps + 1) % slots;
      this.#total -= this.#sums[index] as number;
      this.#sums[index] = 0;
    }
    this.#slot = now;
    return now % slots;
  }
}
