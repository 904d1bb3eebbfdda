import { writeFile } from "node:fs/promises";
import { isMeshError } from "../../index.ts";
import { exitCodes } from "../exit-codes.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { DemoStatistics } from "./demo-statistics.ts";

/** Destinations of a {@link reportDemo}. */
export interface DemoReportOptions {
  readonly terminal: Terminal;
  /** File for the figures as JSON. */
  readonly file: string | undefined;
  readonly registryName: string;
}

/** Prints the figures of a demo and writes them to the file. Resolves with the exit code: 1 when a GET failed. */
export async function reportDemo(
  { totals, failures, events }: DemoStatistics,
  { terminal, file, registryName }: DemoReportOptions,
): Promise<number> {
  const maybe = failures.filter((failure) => isMeshError(failure) && failure.maybeExecuted).length;
  await terminal.text(`
GET   ${totals.getOk} ok, ${totals.getFailed} failed
POST  ${totals.postOk} ok, ${totals.postFailed} failed${totals.postFailed > 0 ? ` (${maybe} of the failures may have been executed, so they were not repeated)` : ""}
${totals.attempts} attempts, ${totals.retries} of them retries on another instance; breakers opened ${totals.breakerOpened} times,
and the picker began to avoid an instance ${totals.avoided} times
${totals.getFailed === 0 ? "No GET failed." : "A GET FAILED:"}`);
  if (totals.getFailed > 0) for (const failure of failures) await terminal.line(String(failure));
  if (file !== undefined)
    await writeFile(file, `${JSON.stringify({ registry: registryName, ...totals, maybeExecuted: maybe, events }, null, 2)}\n`);
  return totals.getFailed === 0 ? exitCodes.ok : exitCodes.failed;
}
