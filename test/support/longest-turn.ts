import { setImmediate as nextTurn } from "node:timers/promises";

/** Processor time of this thread alone; `undefined` on Node 22, which counts those of all threads together. */
export const threadTime: ((before?: NodeJS.CpuUsage) => NodeJS.CpuUsage) | undefined = (
  process as { threadCpuUsage?: (before?: NodeJS.CpuUsage) => NodeJS.CpuUsage }
).threadCpuUsage?.bind(process);

/**
 * The longest time for which `work` held the event loop, in milliseconds of processor time of this thread, and what came of it. Other
 * processes do not count, however busy the machine is; what the collector does in between does. It is the least of some runs for that.
 */
export async function longestTurn(work: () => Promise<unknown>, runs = 3): Promise<{ readonly ms: number; readonly result: unknown }> {
  if (threadTime === undefined) throw new Error("this version of Node does not tell the time of one thread");
  let least = Number.POSITIVE_INFINITY;
  let result: unknown;
  for (let run = 0; run < runs; run++) {
    let longest = 0;
    let isDone = false;
    await nextTurn();
    let start = threadTime();
    const working = work().then(
      (value) => value,
      (error: unknown) => error,
    );
    const ending = working.then(() => {
      isDone = true;
    });
    while (!isDone) {
      await nextTurn();
      const { user, system } = threadTime(start);
      longest = Math.max(longest, (user + system) / 1_000);
      start = threadTime();
    }
    await ending;
    result = await working;
    least = Math.min(least, longest);
  }
  return { ms: least, result };
}
