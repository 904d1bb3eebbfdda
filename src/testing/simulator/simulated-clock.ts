import type { Clock, Timer } from "../../core/clock.ts";
import { TimerQueue } from "../timer-queue.ts";

/**
 * Number of steps per turn of the event loop. Node empties the queues of ticks and promises between two immediates of one turn already, so
 * a turn for each step would only be slower.
 */
const stepsPerTurn = 64;
const startMs = Date.UTC(2026, 0, 1);

// Read once, so that fake global timers of a test do not stop this clock.
const nextTurn = setImmediate;

/** Virtual time that advances by itself from timer to timer. */
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

  /** Sets a timer for a point in time, without the rounding errors of a delay. */
  setTimerAt(callback: () => void, atMs: number): Timer {
    return this.#timers.add(Math.max(this.#now, atMs), callback, true);
  }

  clearTimer(timer: Timer): void {
    this.#timers.remove(timer);
  }

  /**
   * Fires timers in the order of time, until `untilMs`, until `isDone` returns `true`, or until there are none. After each one all
   * pending promise callbacks run before the next. Rejects with what a timer's callback throws.
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
