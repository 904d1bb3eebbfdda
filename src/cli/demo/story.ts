import { setTimeout as sleep } from "node:timers/promises";
import type { Instances } from "./instances.ts";

/** One event of the story. */
interface Act {
  /** Time after the event before, in milliseconds. */
  readonly afterMs: number;
  readonly what: string;
  readonly run: (instances: Instances) => unknown;
}

const acts: readonly Act[] = [
  { afterMs: 2_500, what: "instance b is killed (SIGKILL); the registry is not told", run: (instances) => instances.kill("b") },
  { afterMs: 3_000, what: "instance b is started again", run: (instances) => instances.start("b") },
  { afterMs: 3_000, what: "instance c answers only after 2 s from now on", run: (instances) => instances.tell("c", { delayMs: 2_000 }) },
  { afterMs: 3_000, what: "instance c is fast again", run: (instances) => instances.tell("c", { delayMs: 0 }) },
  { afterMs: 3_500, what: "the end", run: () => {} },
];

/**
 * Plays the story once: one instance is killed and comes back, another one hangs and recovers.
 * @param note is called with a line for each event
 * @throws the reason of `signal` when it aborts
 */
export async function tellStory(instances: Instances, note: (what: string) => void, signal: AbortSignal): Promise<void> {
  note("three instances share the load");
  for (const { afterMs, what, run } of acts) {
    await sleep(afterMs, undefined, { signal });
    note(what);
    await run(instances);
  }
}
