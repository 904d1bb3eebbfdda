/** Parts that the last minute is counted in, and their length in milliseconds. */
const parts = 12;
const partMs = 5_000;

/** Counts over the last minute, in a dozen small numbers whatever the traffic. The oldest part of five seconds is left out as a whole. */
export class RecentCount {
  readonly #counts: number[] = new Array<number>(parts).fill(0);
  /** The number of the newest part since the clock began. */
  #newest = 0;

  /** Counts one. `now` is in milliseconds of `Clock.now()`. */
  add(now: number): void {
    const part = Math.floor(now / partMs);
    if (part > this.#newest) this.#advance(part);
    (this.#counts[part % parts] as number)++;
  }

  /** How many were counted in the minute up to `now`. */
  at(now: number): number {
    const first = Math.max(0, Math.floor(now / partMs) - parts + 1, this.#newest - parts + 1);
    let sum = 0;
    for (let part = first; part <= this.#newest; part++) sum += this.#counts[part % parts] as number;
    return sum;
  }

  #advance(part: number): void {
    for (let each = Math.max(this.#newest + 1, part - parts + 1); each <= part; each++) this.#counts[each % parts] = 0;
    this.#newest = part;
  }
}
