import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SerializedError } from "vitest";
import type { Reporter, TestModule } from "vitest/node";
import { type Counts, countsFileVariable } from "./counts.ts";

const defaultFile = join(import.meta.dirname, "../.test-results/counts.json");

/** Writes how many tests passed, failed and were skipped into a file, for `run.ts` to read. */
export class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      // A file that throws when it is loaded, or a hook that does, is a failure even if no test of it ran.
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // One that is still pending when the run is over has been cut off.
        counts[state === "pending" ? "failed" : state]++;
      }
    }
    this.#write(counts);
  }

  #write(counts: Counts): void {
    const file = process.env[countsFileVariable] ?? defaultFile;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(counts)}\n`);
  }
}
