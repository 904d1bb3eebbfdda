import { writeFile } from "node:fs/promises";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import type { Io } from "../../src/cli/io.ts";
import type { Terminal } from "../../src/cli/terminal/terminal.ts";
import { waitFor } from "../../src/cli/wait.ts";
import { cpuQuotas } from "./cpu-quota.ts";
import { WeightsDemo } from "./weights-demo.ts";
import { weightsPicture } from "./weights-picture.ts";

/** Settings of {@link runWeights}. */
export interface WeightsRun {
  readonly terminal: Terminal;
  readonly io: Io;
  readonly seconds: number;
  /** A file for the figures, as JSON. */
  readonly file: string | undefined;
}

/** The greatest difference between what an instance can do and what it gets, in points. */
const tolerance = 5;

/** Shows how shares follow what instances report. Resolves with the exit code, 1 where a share is more than five points from what the instance can do. */
export async function runWeights({ terminal, io, seconds, file }: WeightsRun): Promise<number> {
  const quotas = cpuQuotas();
  await terminal.line(`starting three instances of different size; their CPU is limited ${quotas.how} …`);
  const demo = new WeightsDemo(quotas);
  const title = 'weighted({ by: "reported" }), 80 calls a second';
  const startedAt = performance.now();
  let drawn = 0;
  const draw = async (): Promise<void> => {
    const width = terminal.width();
    const lines = weightsPicture({ title, seconds: (performance.now() - startedAt) / 1_000, instances: demo.instances() }, width);
    if (!terminal.isInteractive) await terminal.lines([...lines, ""]);
    else await terminal.raw(`${drawn > 0 ? `\u001b[${drawn}A\r` : ""}\u001b[0J${lines.map((line) => `${line}\n`).join("")}`);
    drawn = lines.length;
  };
  try {
    await demo.start();
    const everyMs = terminal.isInteractive ? 500 : 4_000;
    while (!io.signal.aborted && performance.now() - startedAt < seconds * 1_000) {
      await waitFor(Math.min(everyMs, startedAt + seconds * 1_000 - performance.now()), io.signal);
      await draw();
    }
    if (io.signal.aborted) return exitCodes.interrupted;
    const instances = demo.instances();
    const furthest = Math.max(...instances.map(({ canDo, gets }) => Math.abs(canDo - gets) * 100));
    const isMet = furthest <= tolerance;
    await terminal.line(
      `${isMet ? "Each" : "Not each"} share is within ${tolerance} points of what the instance can do; the furthest is ${furthest.toFixed(1)} points off. ${demo.failed} calls failed.`,
    );
    if (file !== undefined)
      await writeFile(file, `${JSON.stringify({ quotas: quotas.how, furthest, failed: demo.failed, instances }, null, 2)}\n`);
    return isMet ? exitCodes.ok : exitCodes.failed;
  } finally {
    await demo.close();
  }
}
