import type { Clock } from "../../src/core/clock.ts";

/** Time that passes only when a test says so. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Map<object, { readonly at: number; readonly delayMs: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  setTimer(callback: () => void, delayMs: number): object {
    const timer = {};
    this.#timers.set(timer, { at: this.#now + delayMs, delayMs, callback });
    return timer;
  }

  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as object);
  }

  /** The delays of the timers that are set, in the order they were set. */
  get delays(): readonly number[] {
    return [...this.#timers.values()].map(({ delayMs }) => delayMs);
  }

  /** Lets time pass and fires what is due. */
  advance(ms: number): void {
    this.#now += ms;
    for (const [timer, { at, callback }] of [...this.#timers]) {
      if (at > this.#now || !this.#timers.delete(timer)) continue;
      callback();
    }
  }
}
