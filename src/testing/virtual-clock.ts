import type { Clock } from "../core/clock.ts";
import { TimerQueue } from "./timer-queue.ts";

/** A timer that is set on a {@link VirtualClock}. */
export interface VirtualTimer {
  /** Milliseconds until it fires. */
  readonly inMs: number;
  /** `false` for a timer that would not keep the process alive by itself. */
  readonly keepsProcess: boolean;
}

/** A clock that stands still until a test lets time pass. */
export interface VirtualClock extends Clock {
  /** The timers that are set, the next one to fire first. */
  readonly pending: readonly VirtualTimer[];
  /**
   * Lets `ms` milliseconds pass: timers that fall due fire in the order of time, and after each one all pending promise callbacks run
   * before time goes on.
   */
  advance(ms: number): Promise<void>;
}

/** Options of {@link virtualClock}. */
export interface VirtualClockOptions {
  /** The wall clock at the beginning, in milliseconds since the epoch. @default 2026-01-01 UTC */
  readonly startMs?: number;
}

// Read once, so that fake global timers of a test do not stop this clock.
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
