import { readFileSync } from "node:fs";
import type { FileResult, TestResult } from "./run-file.ts";
import type { Suite } from "./suite.ts";

/**
 * A reason for failures of the suite. `deliberate`: a deviation that stays. `missing`: a feature that is not built yet. `artefact`: a
 * consequence of how the suite is run. `unsteady`: an artefact that shows in some runs only. `bug`: a defect.
 */
export interface DeviationClass {
  readonly kind: "deliberate" | "missing" | "artefact" | "unsteady" | "bug";
  readonly why: string;
}

/** The failures of one suite that are expected. */
export interface Expectation {
  readonly digest: string;
  readonly classes: Readonly<Record<string, DeviationClass>>;
  /** The name of the class, by file name and line number of the test. */
  readonly failures: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The contents of `expected.json`. */
export interface Expectations {
  /** The checkout that they were recorded with. */
  readonly suite: { readonly repository: string; readonly branch: string; readonly commit: string; readonly version: string };
  readonly fetch: Expectation;
  readonly dispatcher: Expectation;
}

/** The results of a run compared with the expectation. */
export interface Judgement {
  /** The class of each failed test that was expected to fail. */
  readonly classOf: ReadonlyMap<TestResult, string>;
  /** `file:line` of tests that were expected to fail and did not. */
  readonly repaired: readonly string[];
  /** The suite differs from the one that the expectation was recorded with. */
  readonly isOtherSuite: boolean;
}

/** Reads `expected.json`. */
export function readExpectations(): Expectations {
  return JSON.parse(readFileSync(new URL("expected.json", import.meta.url), "utf8")) as Expectations;
}

/** Compares the failed tests with the expected failures. */
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
    for (const [line, name] of Object.entries(expected))
      if (!failedLines.has(line) && expectation.classes[name]?.kind !== "unsteady") repaired.push(`${file}:${line}`);
  }
  return { classOf, repaired, isOtherSuite: suite.digest !== expectation.digest };
}
