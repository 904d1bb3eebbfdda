import type { Clock } from "../core/clock.ts";

/** How often an instance has been taken out: what makes each ejection longer than the last. */
export class EjectionRecord {
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
