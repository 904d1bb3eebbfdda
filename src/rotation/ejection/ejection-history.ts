import type { Clock } from "../../core/clock.ts";
import type { Upstream } from "../../core/upstream.ts";

/** The ejections of one instance: how many there were, and how long the next one lasts. */
export class EjectionHistory {
  /** Number of ejections since the instance was first seen. */
  total = 0;
  #level = 0;
  #readmittedAt: number | undefined = undefined;

  /** The level of the next ejection, from 1: one more than that of the last, and one less for each sweep passed in rotation but the first. */
  nextLevel(clock: Clock, sweepMs: number): number {
    const quietMs = this.#readmittedAt === undefined ? 0 : clock.now() - this.#readmittedAt;
    return Math.max(0, this.#level - Math.max(0, Math.floor(quietMs / sweepMs) - 1)) + 1;
  }

  /** Records an ejection. Returns its level. */
  eject(clock: Clock, sweepMs: number): number {
    this.#level = this.nextLevel(clock, sweepMs);
    this.#readmittedAt = undefined;
    this.total++;
    return this.#level;
  }

  /** Records that the instance is back in rotation. */
  readmit(clock: Clock): void {
    this.#readmittedAt = clock.now();
  }
}

/** The histories of all instances that have been ejected; each goes with its upstream. */
export class EjectionHistories {
  readonly #clock: Clock;
  readonly #sweepMs: number;
  readonly #histories = new WeakMap<Upstream, EjectionHistory>();

  constructor(clock: Clock, sweepMs: number) {
    this.#clock = clock;
    this.#sweepMs = sweepMs;
  }

  /** Number of ejections of `upstream`. */
  total(upstream: Upstream): number {
    return this.#histories.get(upstream)?.total ?? 0;
  }

  /** The level of the next ejection of `upstream`, from 1. */
  nextLevel(upstream: Upstream): number {
    return this.#histories.get(upstream)?.nextLevel(this.#clock, this.#sweepMs) ?? 1;
  }

  /** Records that `upstream` is out of rotation. */
  eject(upstream: Upstream): void {
    let history = this.#histories.get(upstream);
    if (history === undefined) {
      history = new EjectionHistory();
      this.#histories.set(upstream, history);
    }
    history.eject(this.#clock, this.#sweepMs);
  }

  /** Records that `upstream` is back in rotation. */
  readmit(upstream: Upstream): void {
    this.#histories.get(upstream)?.readmit(this.#clock);
  }
}
