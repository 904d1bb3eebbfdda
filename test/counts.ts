import { readFileSync } from "node:fs";

/** What became of the tests of a run; files that could not be loaded and errors outside of tests count as failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The environment variable that says where the counts are to be written. */
export const countsFileVariable = "INMESH_TEST_COUNTS";

/** The counts of a run that ended with `exitCode`; one that left none, or that failed without saying where, has one failure. */
export function readCounts(file: string, exitCode: number): Counts {
  const { passed, failed, skipped } = parse(file);
  return { passed, failed: failed === 0 && exitCode !== 0 ? 1 : failed, skipped };
}

/** The last line of a run: `12 passed, 0 failed`, and `, 3 skipped` when some were. */
export function summary({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function parse(file: string): Counts {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Counts;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
