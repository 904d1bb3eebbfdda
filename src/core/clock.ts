import type { Cancellation } from "./cancellation.ts";
import { maxTimerMs } from "./options.ts";
import { SharedTimer, setSharedTimer } from "./shared-timers.ts";

/** A timer that {@link Clock.setTimer} made. */
export type Timer = unknown;

/**
 * Time as the mesh sees it. A parameter with a default everywhere, so that tests never sleep and a simulation
 * can run the shipped code in virtual time.
 */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number;
  /** Milliseconds since the epoch, for what is compared with dates from outside. */
  wallNow(): number;
  /** Calls `callback` once after `delayMs`. With `keepsProcess: false` the timer alone keeps no process alive. */
  setTimer(callback: () => void, delayMs: number, keepsProcess?: boolean): Timer;
  /** Stops a timer; harmless when it has fired. */
  clearTimer(timer: Timer): void;
}

/** The process's own clock. */
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

/** Random numbers in [0, 1), `Math.random` unless a seed is wanted. */
export type Random = () => number;

/** Waits `delayMs`, or rejects with the reason as soon as `cancellation` is cancelled. Leaves no listener and no timer. */
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

/** Waits `delayMs` without keeping the process alive; rejects with `signal.reason` on abort. For loops in the background. */
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
