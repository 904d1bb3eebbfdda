import type { Steps } from "./steps.ts";

/** How long the event loop may be held at a time, in milliseconds. */
const turnMs = 2;

/**
 * Runs `work` to its end, and lets the event loop go on at each `yield` once 2 ms have passed: the registry of a large company takes longer than
 * a call may wait. Rejects with what `work` throws, or with the signal's reason.
 */
export async function inTurns<T>(work: Steps<T>, signal?: AbortSignal): Promise<T> {
  let startedAt = performance.now();
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() - startedAt < turnMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    startedAt = performance.now();
  }
}
