import type { Schedule } from "./schedule.ts";

/** Plain round-robin. */
export class TurnSchedule implements Schedule {
  readonly #size: number;
  #turn: number;

  /** @param begin the first index, taken modulo `size` */
  constructor(size: number, begin = 0) {
    this.#size = size;
    this.#turn = begin % size;
  }

  /** The index of the next turn. */
  get turn(): number {
    return this.#turn;
  }

  next(): number {
    const index = this.#turn;
    this.#turn = index + 1 < this.#size ? index + 1 : 0;
    return index;
  }

  lagOf(): number {
    return 0;
  }
}
