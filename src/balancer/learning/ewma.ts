/**
 * Peak-sensitive moving average over time (Finagle's `PeakEwma`): a value above the average replaces it at once, values below pull it
 * down with the time constant `decayMs`, and without observations it decays towards zero.
 */
export class PeakEwma {
  #value = 0;
  #at = 0;
  #isKnown = false;

  /** `false` until the first observation. */
  get known(): boolean {
    return this.#isKnown;
  }

  /** The average right after the last observation. */
  get last(): number {
    return this.#value;
  }

  /** The average at `now`, decayed towards `floor`; an average below `floor` does not decay. */
  read(now: number, decayMs: number, floor = 0): number {
    const elapsed = now - this.#at;
    const above = this.#value - floor;
    // Without an exponential function when no time has passed: most reads of a busy instance follow its last response at once.
    return elapsed > 0 && above > 0 ? floor + above * Math.exp(-elapsed / decayMs) : this.#value;
  }

  /**
   * Takes one value; anything but a finite number from 0 on is ignored.
   * @param minStep the least part of the way down to a lower value that one observation goes, 0 to 1
   */
  observe(value: number, now: number, decayMs: number, minStep = 0): void {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) return;
    if (!this.#isKnown || value >= this.read(now, decayMs)) {
      this.#value = value;
    } else {
      const kept = Math.min(Math.exp(-Math.max(0, now - this.#at || 0) / decayMs), 1 - minStep);
      this.#value = value + (this.#value - value) * kept;
    }
    this.#isKnown = true;
    // Neither for a clock that has gone back nor for NaN.
    if (now > this.#at) this.#at = now;
  }
}
