/**
 * Peak-sensitive moving average over time (Finagle's `PeakEwma`): a value above the average replaces it at once, values
 * below pull it down with the time constant `decayMs`, and while nothing is observed it decays towards zero.
 */
export class PeakEwma {
  #value = 0;
  #at = 0;
  #isKnown = false;

  /** `false` until something was observed. */
  get known(): boolean {
    return this.#isKnown;
  }

  /** The average right after the last observation. */
  get last(): number {
    return this.#value;
  }

  /** The average at `now`, when it decays towards `floor`; one below it stays what it is. */
  read(now: number, decayMs: number, floor = 0): number {
    const elapsed = now - this.#at;
    const above = this.#value - floor;
    // Most reads of a busy instance fall into the millisecond of its last answer.
    return elapsed > 0 && above > 0 ? floor + above * Math.exp(-elapsed / decayMs) : this.#value;
  }

  /**
   * Takes one value; what is no finite number from 0 on is left out. `minStep` is how much of the way down to a lower value
   * one observation goes at least, from 0 to 1.
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
    // Not for a clock that went back, and not for one that says NaN.
    if (now > this.#at) this.#at = now;
  }
}
