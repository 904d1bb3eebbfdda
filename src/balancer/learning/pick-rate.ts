/** Number of picks that one measurement takes, and its part in the rate. */
const picksPerMeasurement = 32;
const step = 0.3;
/** Picks per millisecond of a client that has just begun. */
const assumed = 0.01;

/** How often a picker picks. */
export class PickRate {
  /** Picks per millisecond. */
  perMs = assumed;
  #picks = 0;
  #since = Number.NaN;

  count(now: number): void {
    if (++this.#picks < picksPerMeasurement && !Number.isNaN(this.#since)) return;
    const elapsed = now - this.#since;
    if (elapsed > 0 && elapsed < Number.POSITIVE_INFINITY) this.perMs += step * (this.#picks / elapsed - this.perMs);
    this.#picks = 0;
    this.#since = now;
  }
}
