import { setTimeout as pause } from "node:timers/promises";

/** Resolves when `condition` holds; rejects after `withinMs`, saying what it waited for. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > withinMs) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await pause(5);
  }
}

/** Lets everything that is under way on the loopback finish. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await pause(2);
}
