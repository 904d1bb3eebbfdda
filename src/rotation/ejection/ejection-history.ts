import type { Clock } from "../../core/clock.ts";
import type { Upstream } from "../../core/upstream.ts";

/** How often an instance has been taken out: what makes each ejection longer than the last. */
export class EjectionHistory {
  /** Times it has been taken out since it was first seen. */
  total = 0;
  #level = 0;
  #readmittedAt: number | undefined = undefined;

  /** It has been taken out. Returns how often of late: one less for every sweep before this one in which it was not. */
  eject(clock: Clock, sweepMs: number): number {
    const quietMs = this.#readmittedAt === undefined ? 0 : clock.now() - this.#readmittedAt;
    this.#level = Math.max(0, this.#level - Math.max(0, Math.floor(quietMs / sweepMs) - 1)) + 1;
    this.#readmittedAt = undefined;
    this.total++;
    return this.#level;
  }

  /** It is back in rotation. */
  readmit(clock: Clock): void {
    this.#readmittedAt = clock.now();
  }
}

/** The records of those that have been taken out once; each goes with its upstream. */
export class EjectionHistories {
  readonly #records = new WeakMap<Upstream, EjectionHistory>();

  /** Times `upstream` has been taken out. */
  total(upstream: Upstream): number {
    return this.#records.get(upstream)?.total ?? 0;
  }

  of(upstream: Upstream): EjectionHistory {
    let record = this.#records.get(upstream);
    if (record === undefined) {
      record = new EjectionHistory();
      this.#records.set(upstream, record);
    }
    return record;
  }
}
