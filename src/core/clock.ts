import type { Cancellation } from "./cancellation.ts";
import { maxTimerMs } from "./settings/checks.ts";
import { SharedTimer, setSharedTimer, type TimerHandler } from "./shared-timers.ts";

/** A timer, as {@link Clock.setTimer} returns it. */
export type Timer = unknown;

/**
 * The time of a mesh. It is a parameter everywhere, so that tests need not sleep and a simulation runs the shipped code in virtual time.
 */
export interface Clock {
  /** Monotonic time in milliseconds, from an arbitrary origin. */
  now(): number;
  /** Milliseconds since the epoch, for comparisons with dates from outside. */
  wallNow(): number;
  /** Calls `callback` once after `delayMs` milliseconds. With `keepsProcess: false` the timer does not keep the process alive. */
  setTimer(callback: () => void, delayMs: number, keepsProcess?: boolean): Timer;
  /** Stops a timer; does nothing for one that has fired. */
  clearTimer(timer: Timer): void;
}

/** The clock of the process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(callback, delayMs, keepsProcess = true) {
    const ms = Math.min(delayMs, maxTimerMs);
    if (!keepsProcess) return setTimeout(callback, ms).unref();
    return setSharedTimer(callback, ms) ?? setTimeout(callback, ms);
  },
  clearTimer(timer) {
    if (timer instanceof SharedTimer) timer.clear();
    else clearTimeout(timer as NodeJS.Timeout);
  },
};

/** Sets a timer that calls `handler`. A clock of the program's own knows functions only, and gets one. */
export function setTimerOf(handler: TimerHandler, clock: Clock, delayMs: number): Timer {
  const shared = clock === systemClock ? setSharedTimer(handler, Math.min(delayMs, maxTimerMs)) : undefined;
  return shared ?? clock.setTimer(() => handler.handleTimer(), delayMs);
}

/** In milliseconds. A timer that fires later than this was held up by this process, which has read nothing from its sockets meanwhile. */
const lateMs = 20;

/** The time, in milliseconds, to add to a limit whose timer was due at `dueAt` and was held up by this process; 0 where it was not. */
export function heldUpMs(clock: Clock, dueAt: number, limitMs: number): number {
  const overdueMs = clock.now() - dueAt;
  return overdueMs <= lateMs ? 0 : Math.min(overdueMs, limitMs);
}

/** A source of random numbers in [0, 1), such as `Math.random`. */
export type Random = () => number;

/** Waits `delayMs` milliseconds; rejects with the reason as soon as `cancellation` is cancelled. Leaves no listener and no timer. */
export function sleep(clock: Clock, delayMs: number, cancellation?: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    if (cancellation?.cancelled) {
      reject(cancellation.reason);
      return;
    }
    const onCancel = (reason: unknown) => {
      clock.clearTimer(timer);
      reject(reason);
    };
    const timer = clock.setTimer(() => {
      cancellation?.removeListener(onCancel);
      resolve();
    }, delayMs);
    cancellation?.onCancel(onCancel);
  });
}

/** Waits `delayMs` milliseconds without keeping the process alive, for loops in the background; rejects with `signal.reason` on abort. */
export function sleepUnlessAborted(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clock.clearTimer(timer);
      reject(signal.reason);
    };
    const timer = clock.setTimer(
      () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      },
      delayMs,
      false,
    );
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Doublings after which a pause grows no more, whatever its cap. */
const maxDoublings = 20;

/** The bounds of the pauses between tries, in milliseconds. */
export interface JitterBounds {
  /** The longest first pause. */
  readonly baseMs: number;
  /** The longest of all. */
  readonly capMs: number;
}

/**
 * A pause before the next try, in milliseconds: anything from 0 up to a bound that doubles with each failure, from `baseMs` after none (full jitter). Those
 * that failed at the same moment do not come back in step.
 */
export function fullJitter(random: Random, failures: number, { baseMs, capMs }: JitterBounds): number {
  return random() * Math.min(capMs, baseMs * 2 ** Math.min(failures, maxDoublings));
}
