import type { Clock } from "../core/clock.ts";
import type { EntryCall } from "./registry-entry.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** The bounds of a call about an entry. */
export interface CallLimits {
  readonly clock: Clock;
  /** In milliseconds. */
  readonly limitMs: number;
  /** The reason of the call's end when its time is over. */
  readonly reason: Error;
}

/** Makes a call about an entry that ends with `call`'s signal or when its time is over, also where the registry heeds no signal. Leaves no timer. */
export async function callWithin<Result>(
  { awaited, signal }: EntryCall,
  { clock, limitMs, reason }: CallLimits,
  make: (call: EntryCall) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal?.reason);
  const timer = clock.setTimer(() => stop.abort(reason), limitMs, awaited);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await unlessAborted(make({ awaited, signal: stop.signal }), stop.signal);
  } finally {
    clock.clearTimer(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
