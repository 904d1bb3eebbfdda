import type { Cancellation } from "../core/cancellation.ts";

/** Ties the cancellation of a call to the signal of its caller. Returns the function that unties it. */
export function tie(cancellation: Cancellation, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    cancellation.cancel(signal.reason);
    return () => {};
  }
  const abort = (): void => cancellation.cancel(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}
