import type { Clock } from "../core/clock.ts";

/** Waits for `work` for at most `limitMs` milliseconds. Resolves with the error it failed with, or one that says that it did not end in time. */
export async function problemWithin(clock: Clock, limitMs: number, work: PromiseLike<unknown>): Promise<unknown> {
  let timer: unknown;
  const late = new Promise<Error>((resolve) => {
    timer = clock.setTimer(() => resolve(new Error(`it took more than ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([Promise.resolve(work).then(() => undefined), late]);
  } catch (error) {
    return error;
  } finally {
    clock.clearTimer(timer);
  }
}

/** Lets the event loop look at every connection, twice: a timer that is late comes before what has arrived meanwhile. */
export async function turnsOfTheLoop(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
