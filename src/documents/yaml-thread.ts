import { createRequire } from "node:module";
import type { Worker } from "node:worker_threads";
import type { Clock } from "../core/clock.ts";

/** How long the answer of a thread is waited for, and the errors where there is none. */
export interface ThreadLimits {
  readonly clock: Clock;
  readonly maxMs: number;
  readonly late: () => Error;
  readonly endedEarly: () => Error;
  /** Ends the wait, with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Starts a thread that reads YAML, whose package gives way to nothing while it does. `program` is CommonJS: it finds the path of the package and `data` in
 * `workerData`, and posts one answer. `undefined` in a bundle, in which the package is no file, and where the process may start no threads.
 */
export function startYamlThread(program: string, data: Readonly<Record<string, unknown>>, maxHeapMiB: number): Worker | undefined {
  try {
    const path = createRequire(import.meta.url).resolve("yaml");
    const resourceLimits = { maxOldGenerationSizeMb: maxHeapMiB };
    // Loaded here: few processes read so long a text, and all would pay for it at their start.
    const { Worker } = process.getBuiltinModule("node:worker_threads");
    return new Worker(program, { eval: true, workerData: { path, ...data }, execArgv: [], resourceLimits });
  } catch {
    return undefined;
  }
}

/** The answer of a thread, which ends with it. Rejects with the error of the limits, of the thread, or the reason of the signal. */
export async function answerOfThread(worker: Worker, { clock, maxMs, late, endedEarly, signal }: ThreadLimits): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const timer = clock.setTimer(() => reject(late()), maxMs, false);
  const onAbort = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.once("exit", () => reject(endedEarly()));
  try {
    return await promise;
  } finally {
    clock.clearTimer(timer);
    signal?.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}
