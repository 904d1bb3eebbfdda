import type { Clock } from "../core/clock.ts";
import { TimerQueue } from "./timer-queue.ts";

/** A timer that a {@link VirtualClock} holds. */
export interface VirtualTimer {
  /** Milliseconds until it fires. */
  readonly inMs: number;
  /** `false` for timers that alone would keep no process alive. */
  readonly keepsProcess: boolean;
}

/** A clock that stands still until a test lets time pass. */
export interface VirtualClock extends Clock {
  /** The timers that are set, the next one first. */
  readonly pending: readonly VirtualTimer[];
  /**
   * Lets `ms` milliseconds pass: what falls due is called in the order of time, and after each call everything that waits
   * for a promise goes on before time does.
   */
  advance(ms: number): Promise<void>;
}

/** Options of {@link virtualClock}. */
export interface VirtualClockOptions {
  /** Milliseconds since the epoch at the beginning; 2026-01-01 by default. */
  readonly startMs?: number;
}

// Taken once, so that a test that fakes the global timers as well does not stop this clock.
const nextTurn = setImmediate;

/** A {@link Clock} for tests and simulations: nothing sleeps, and a timeout of minutes takes no time. */
export function virtualClock({ startMs = Date.UTC(2026, 0, 1) }: VirtualClockOptions = {}): VirtualClock {
  let now = 0;
  const timers = new TimerQueue();
  const settle = () =>
    new Promise<void>((resolve) => {
      nextTurn(resolve);
    });
  return {
    now: () => now,
    wallNow: () => startMs + now,
    setTimer: (callback, delayMs, keepsProcess = true) => timers.add(now + Math.max(0, delayMs), callback, keepsProcess),
    clearTimer: (timer) => timers.remove(timer),
    get pending() {
      return timers.sorted().map(({ at, keepsProcess }) => ({ inMs: at - now, keepsProcess }));
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const next = timers.first;
        if (next === undefined || next.at > end) break;
        timers.remove(next);
        now = next.at;
        next.callback();
        await settle();
      }
      now = end;
      await settle();
    },
  };
}
