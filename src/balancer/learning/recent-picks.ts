/** Time over which picks are counted, in milliseconds: those of the last minute make up nearly all of the count. */
const windowMs = 20_000;

/** How many requests an instance has got lately; older ones count less. */
export class RecentPicks {
  // NaN and not 0, so that V8 keeps the fields as doubles from the start.
  #count = Number.NaN;
  #at = Number.NaN;

  add(now: number): void {
    this.#count = this.at(now) + 1;
    this.#at = now;
  }

  at(now: number): number {
    if (Number.isNaN(this.#count)) return 0;
    return now > this.#at ? this.#count * Math.exp((this.#at - now) / windowMs) : this.#count;
  }
}
