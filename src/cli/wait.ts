/** Resolves after `ms` milliseconds or when `signal` aborts; without `ms` only when it aborts. Keeps the process alive meanwhile. */
export function waitFor(ms: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    // Without a limit, an interval keeps the process alive.
    const timer = ms === undefined ? setInterval(() => {}, 86_400_000) : setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}

/** The limits of one question. */
export interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A signal that aborts with `signal`, and with an Error that names the limit after `timeoutMs`. Does not keep the process alive. */
export function limitedSignal({ timeoutMs, signal }: Limits): AbortSignal {
  const limit = new AbortController();
  setTimeout(() => limit.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs).unref();
  return AbortSignal.any([signal, limit.signal]);
}

/** Waits for `promise` within the limits, though it does not listen: its result is dropped when they are over. */
export async function limited<T>(promise: Promise<T>, { timeoutMs, signal }: Limits): Promise<T> {
  signal.throwIfAborted();
  const { promise: end, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
