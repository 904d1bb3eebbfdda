/** Number of picks that one measurement takes, and its part in the rate. */
const picksPerMeasurement = 32;
const step = 0.3;
/** Picks per millisecond of a client that has just begun, and number of picks that say more than this assumption. */
const assumed = 0.01;
const leastPicks = 4;

/** How often a picker picks. */
export class PickRate {
  /** Picks per millisecond. */
  perMs = assumed;
  /** Mean time between two picks of each candidate, in milliseconds, as the last pick has found it. */
  fairMs = 1 / assumed;
  #picks = 0;
  #since = Number.NaN;
  #isMeasured = false;

  count(now: number): void {
    if (Number.isNaN(this.#since)) {
      this.#since = now;
      return;
    }
    const isWhole = ++this.#picks >= picksPerMeasurement;
    if (!isWhole && (this.#isMeasured || this.#picks < leastPicks)) return;
    const elapsed = now - this.#since;
    // The first measurement is used while it lasts: a client with two requests in a second would take the assumed rate for its own for a minute.
    if (elapsed > 0 && elapsed < Number.POSITIVE_INFINITY)
      this.perMs += (this.#isMeasured ? step : 1) * (this.#picks / elapsed - this.perMs);
    if (!isWhole) return;
    this.#isMeasured = true;
    this.#picks = 0;
    this.#since = now;
  }
}
