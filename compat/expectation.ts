import { readFileSync } from "node:fs";
import type { FileResult, TestResult } from "./run-file.ts";
import type { Suite } from "./suite.ts";

/** Why a test of the suite fails: `deliberate` deviations stay, `missing` ones are not built yet, an `artefact` is the measuring's. */
export interface DeviationClass {
  readonly kind: "deliberate" | "missing" | "artefact" | "bug";
  readonly why: string;
}

/** What `expected.json` holds. */
export interface Expectation {
  readonly suite: {
    readonly repository: string;
    readonly branch: string;
    readonly commit: string;
    readonly version: string;
    readonly digest: string;
  };
  readonly classes: Readonly<Record<string, DeviationClass>>;
  /** File name, then line number of the test, then the name of the class. */
  readonly failures: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Judgement {
  /** The class of each failed test that was expected to fail. */
  readonly classOf: ReadonlyMap<TestResult, string>;
  /** `file:line` of tests that are expected to fail and did not. */
  readonly repaired: readonly string[];
  /** The suite has other tests than the one the expectation was recorded with. */
  readonly isOtherSuite: boolean;
}

export function readExpectation(): Expectation {
  return JSON.parse(readFileSync(new URL("expected.json", import.meta.url), "utf8")) as Expectation;
}

/** Compares what failed with what is known to fail. Only tests that called fetch count. */
export function judge(expectation: Expectation, suite: Suite, results: readonly FileResult[]): Judgement {
  const classOf = new Map<TestResult, string>();
  const repaired: string[] = [];
  for (const { file, tests } of results) {
    const expected = expectation.failures[file] ?? {};
    const failedLines = new Set<string>();
    for (const test of tests) {
      if (test.outcome !== "failed") continue;
      const line = String(test.line);
      failedLines.add(line);
      const name = expected[line];
      if (name !== undefined) classOf.set(test, name);
    }
    for (const line of Object.keys(expected)) if (!failedLines.has(line)) repaired.push(`${file}:${line}`);
  }
  return { classOf, repaired, isOtherSuite: suite.digest !== expectation.suite.digest };
}
