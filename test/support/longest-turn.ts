import { existsSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

/** The scheduler of Linux counts the time of each thread, in nanoseconds, at its ticks: up to 4 ms late. */
const schedulerFile = "/proc/thread-self/schedstat";
/** `process.threadCpuUsage`, which Node 22 does not have. */
const threadCpuUsage = (process as { threadCpuUsage?: () => NodeJS.CpuUsage }).threadCpuUsage?.bind(process);

/** Processor time of this thread alone in milliseconds; `undefined` on Node 22 where the system does not tell it either. */
export const threadMs: (() => number) | undefined = threadCpuUsage
  ? () => {
      const { user, system } = threadCpuUsage();
      return (user + system) / 1_000;
    }
  : existsSync(schedulerFile)
    ? () => Number(readFileSync(schedulerFile, "latin1").split(" ")[0]) / 1e6
    : undefined;

/**
 * The longest time for which `work` held the event loop, in milliseconds of processor time of this thread, and what came of it. Other
 * processes do not count, however busy the machine is; what the collector does in between does. It is the least of some runs for that.
 */
export async function longestTurn(work: () => Promise<unknown>, runs = 3): Promise<{ readonly ms: number; readonly result: unknown }> {
  if (threadMs === undefined) throw new Error("this version of Node does not tell the time of one thread");
  let least = Number.POSITIVE_INFINITY;
  let result: unknown;
  for (let run = 0; run < runs; run++) {
    let longest = 0;
    let isDone = false;
    await nextTurn();
    let start = threadMs();
    const working = work().then(
      (value) => value,
      (error: unknown) => error,
    );
    const ending = working.then(() => {
      isDone = true;
    });
    while (!isDone) {
      await nextTurn();
      const now = threadMs();
      longest = Math.max(longest, now - start);
      start = now;
    }
    await ending;
    result = await working;
    least = Math.min(least, longest);
  }
  return { ms: least, result };
}
