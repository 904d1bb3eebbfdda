/** Milliseconds of the machine's monotonic clock, which all processes of a run share: times of different processes can be compared. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** Waits; what is waited for in this rig is load going on. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** Resolves with what `condition` returns once that is not false; rejects after `withinMs`, saying what it waited for. */
export async function until<T>(what: string, condition: () => T | false | Promise<T | false>, withinMs = 20_000): Promise<T> {
  const startedAt = now();
  for (;;) {
    const found = await condition();
    if (found !== false) return found;
    if (now() - startedAt > withinMs) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await pause(10);
  }
}
