import type { Expectation, Judgement } from "./expectation.ts";
import type { FileResult, TestResult } from "./run-file.ts";

/** Numbers of tests by outcome. */
export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts the tests that are about fetch, or those that are not. */
export function totalsOf(tests: readonly TestResult[], isAboutFetch: boolean): Totals {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  for (const test of tests) if (test.isAboutFetch === isAboutFetch) totals[test.outcome]++;
  return totals;
}

/** The tables of a run as text. */
export function reportOf(results: readonly FileResult[], expectation: Expectation, judgement: Judgement, subject: string): string {
  const about = results.filter(({ tests }) => tests.some((test) => test.isAboutFetch));
  const other = results.filter((result) => !about.includes(result));
  const all = results.flatMap(({ tests }) => tests);
  const lines = [row("file", "passed", "failed", "skipped", "expected"), ""];
  for (const { file, tests } of about) lines.push(fileRow(file, tests, judgement));
  lines.push("", fileRow(`tests that use the ${subject}`, all, judgement));
  const rest = totalsOf(all, false);
  lines.push(row("tests that do not", rest.passed, rest.failed, rest.skipped, ""), "");
  if (other.length > 0) lines.push(`Not about the ${subject}: ${other.map(({ file }) => file).join(", ")}`, "");
  lines.push(...expectedLines(results, expectation, judgement), ...unexpectedLines(results, judgement));
  return lines.join("\n");
}

function fileRow(file: string, tests: readonly TestResult[], { classOf }: Judgement): string {
  const { passed, failed, skipped } = totalsOf(tests, true);
  const expected = tests.filter((test) => test.isAboutFetch && classOf.has(test)).length;
  return row(file, passed, failed, skipped, failed === 0 ? "" : expected);
}

function row(file: string, ...cells: readonly (string | number)[]): string {
  return `${file.padEnd(36)}${cells.map((cell) => String(cell).padStart(10)).join("")}`;
}

function expectedLines(results: readonly FileResult[], expectation: Expectation, { classOf, repaired }: Judgement): string[] {
  const byClass = Map.groupBy(failuresOf(results), ({ test }) => classOf.get(test) ?? "");
  const lines = ["Expected deviations:"];
  for (const [name, { kind, why }] of Object.entries(expectation.classes)) {
    const failures = byClass.get(name) ?? [];
    if (failures.length === 0) continue;
    lines.push(`  ${name} (${kind}, ${failures.length}): ${why}`);
    for (const { file, test } of failures) lines.push(`    ${file}:${test.line} ${test.name}`);
  }
  if (repaired.length > 0) lines.push("", `Expected to fail and did not: ${repaired.join(", ")}`);
  return [...lines, ""];
}

function unexpectedLines(results: readonly FileResult[], { classOf }: Judgement): string[] {
  const failures = failuresOf(results).filter(({ test }) => !classOf.has(test));
  if (failures.length === 0) return ["Unexpected failures: none"];
  return [
    "Unexpected failures:",
    ...failures.flatMap(({ file, test }) => [
      `  ${file}:${test.line} ${test.name}${test.isAboutFetch ? "" : " (of something else)"}`,
      `      ${test.why}`,
    ]),
  ];
}

function failuresOf(results: readonly FileResult[]): { readonly file: string; readonly test: TestResult }[] {
  return results.flatMap(({ file, tests }) => tests.filter(({ outcome }) => outcome === "failed").map((test) => ({ file, test })));
}
