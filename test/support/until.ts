import { setTimeout as pause } from "node:timers/promises";

/** Resolves with the result of `condition` once that is not `false`; rejects after `withinMs` with a message that says `what`. */
export async function until<T>(what: string, condition: () => T | false | Promise<T | false>, withinMs = 5_000): Promise<T> {
  const start = performance.now();
  for (;;) {
    const found = await condition();
    if (found !== false) return found;
    if (performance.now() - start > withinMs) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await pause(5);
  }
}

/** Waits until everything in flight on the loopback has arrived. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await pause(2);
}
