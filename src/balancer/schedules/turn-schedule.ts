import type { Schedule } from "./schedule.ts";

/** Each in turn. */
export class TurnSchedule implements Schedule {
  readonly #size: number;
  #turn: number;

  /** @param begin the index that comes first, of a list that may have been longer */
  constructor(size: number, begin = 0) {
    this.#size = size;
    this.#turn = begin % size;
  }

  /** The index that comes next. */
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
