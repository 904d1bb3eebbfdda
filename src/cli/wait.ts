/** Resolves after `ms`, or when `signal` aborts, whichever comes first; without `ms` only then. The process stays alive meanwhile. */
export function waitFor(ms: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    // Without a limit something still has to keep the process: a day at a time.
    const timer = ms === undefined ? setInterval(() => {}, 86_400_000) : setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
