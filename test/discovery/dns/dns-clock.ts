import type { Clock } from "../../../src/core/clock.ts";

interface Pending {
  readonly at: number;
  readonly callback: () => void;
  readonly isBackground: boolean;
}

/** A clock that stands still until it is advanced, and shows its timers. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Pending>();
  #onSleep: (() => void) | undefined = undefined;

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  setTimer(callback: () => void, delayMs: number, keepsProcess = true): Pending {
    const timer = { at: this.#now + delayMs, callback, isBackground: !keepsProcess };
    this.#timers.add(timer);
    if (timer.isBackground) this.#onSleep?.();
    return timer;
  }

  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as Pending);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Timers that keep a process alive: the limits of queries under way. */
  get foregroundTimers(): number {
    return [...this.#timers].filter(({ isBackground }) => !isBackground).length;
  }

  /** Resolves with the milliseconds left once something in the background waits. */
  async sleeping(): Promise<number> {
    for (;;) {
      const timer = [...this.#timers].find(({ isBackground }) => isBackground);
      if (timer !== undefined) return timer.at - this.#now;
      await new Promise<void>((resolve) => {
        this.#onSleep = resolve;
      });
    }
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at <= this.#now && this.#timers.delete(timer)) timer.callback();
    }
  }
}
