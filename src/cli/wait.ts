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
