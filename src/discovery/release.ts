import type { Clock } from "../core/clock.ts";
import { cleanText } from "../core/text/clean-text.ts";

/** Longest time for which the end of a mesh waits for one of its parts, in milliseconds. */
const releaseMs = 1_000;

/** Ends a part that may be code of the program's. Settles with it; one that takes longer than a second is left behind, which is a warning. */
export async function release(clock: Clock, what: string, close: () => PromiseLike<void> | void): Promise<void> {
  const closing = (async () => await close())();
  let isLate = false;
  let timer: unknown;
  const late = new Promise<void>((resolve) => {
    timer = clock.setTimer(() => {
      isLate = true;
      resolve();
    }, releaseMs);
  });
  await Promise.race([closing, late]).finally(() => clock.clearTimer(timer));
  if (!isLate) return;
  // It may still fail.
  closing.catch(() => {});
  process.emitWarning(`inmesh: ${cleanText(what)} did not close within ${releaseMs} ms, and is left behind`, "MeshCloseWarning");
}
