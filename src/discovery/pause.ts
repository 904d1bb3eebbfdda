import { type Clock, sleepUnlessAborted } from "../core/clock.ts";
import type { Notifier } from "./notifier.ts";

/**
 * Waits `delayMs` milliseconds, or until `wake` is notified, or until `signal` aborts, without keeping the process alive. Never rejects, and
 * leaves no timer and no listener.
 */
export async function pauseUnlessNotified(clock: Clock, delayMs: number, signal: AbortSignal, wake: Notifier | undefined): Promise<void> {
  const end = new AbortController();
  const abort = () => end.abort();
  if (signal.aborted) return;
  signal.addEventListener("abort", abort, { once: true });
  try {
    const pause = sleepUnlessAborted(clock, delayMs, end.signal).catch(() => {});
    await (wake === undefined ? pause : Promise.race([pause, wake.wait(end.signal)]));
  } finally {
    signal.removeEventListener("abort", abort);
    end.abort();
  }
}
