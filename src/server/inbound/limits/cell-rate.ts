/** The parameters of a {@link CellRate}. */
export interface CellRateOptions {
  readonly perSecond: number;
  readonly burst: number;
  readonly maxKeys: number;
}

/**
 * The generic cell rate algorithm (ITU-T I.371) per key: one number for each, the time at which all that the key has sent would have been sent at its rate.
 * Keys are kept in two generations, so that each step costs the same: when the younger one is full, the older one is forgotten, of whose keys none has
 * come since.
 */
export class CellRate {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #maxKeys: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  constructor({ perSecond, burst, maxKeys }: CellRateOptions) {
    this.#intervalMs = 1_000 / perSecond;
    this.#toleranceMs = this.#intervalMs * (burst - 1);
    this.#maxKeys = maxKeys;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Takes one request of a key. Returns 0 where it is within the rate, else the milliseconds until the next one is; that request does not count. */
  take(key: string, now: number): number {
    const known = this.#young.get(key) ?? this.#old.get(key) ?? now;
    // A clock that has gone back must not lock a key out.
    const due = Math.min(Math.max(known, now), now + this.#toleranceMs + this.#intervalMs);
    const waitMs = due - this.#toleranceMs - now;
    // A thousandth of a millisecond is no reason: sums of intervals are not exact.
    if (waitMs > 0.001) {
      this.#keep(key, due);
      return waitMs;
    }
    this.#keep(key, due + this.#intervalMs);
    return 0;
  }

  #keep(key: string, due: number): void {
    if (this.#young.size >= this.#maxKeys / 2 && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, due);
    // It would count twice.
    if (this.#old.size > 0) this.#old.delete(key);
  }
}
