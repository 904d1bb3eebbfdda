import type { Clock, Timer } from "../../core/clock.ts";
import { TimerQueue } from "../timer-queue.ts";

/** Between two immediates of one turn Node empties the queues of ticks and promises, which a turn of the loop each would not do sooner. */
const stepsPerTurn = 64;
const startMs = Date.UTC(2026, 0, 1);

// Taken once, so that a test that fakes the global timers as well does not stop this clock.
const nextTurn = setImmediate;

/** Virtual time that runs by itself from event to event. */
export class SimulatedClock implements Clock {
  readonly #timers = new TimerQueue();
  #now = 0;

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return startMs + this.#now;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return this.#timers.add(this.#now + Math.max(0, delayMs), callback, true);
  }

  /** The same at a moment instead of after a time, which adding and subtracting would shift. */
  setTimerAt(callback: () => void, atMs: number): Timer {
    return this.#timers.add(Math.max(this.#now, atMs), callback, true);
  }

  clearTimer(timer: Timer): void {
    this.#timers.remove(timer);
  }

  /**
   * Calls what falls due in the order of time, until `untilMs` or until `isDone` says so. After each call everything that
   * waits for a promise goes on before the next one.
   */
  run(untilMs: number, isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const step = () => {
        if (isOver) return;
        const next = this.#timers.first;
        if (next === undefined || next.at > untilMs || isDone()) {
          isOver = true;
          resolve();
          return;
        }
        this.#timers.remove(next);
        this.#now = next.at;
        try {
          next.callback();
        } catch (error) {
          isOver = true;
          reject(error);
        }
      };
      const turn = () => {
        for (let steps = 0; steps < stepsPerTurn; steps++) nextTurn(step);
        if (!isOver) nextTurn(turn);
      };
      turn();
    });
  }
}
