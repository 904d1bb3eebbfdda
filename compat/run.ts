// npm run compat -- PATH [--suite fetch|dispatcher] [--json FILE] [--only SUBSTRING] [--fetch mesh|node|undici] [--dispatcher mesh|undici]
// [--timeout SECONDS]: runs undici's tests, from a checkout at PATH, those of fetch against mesh.fetch and the others over mesh.dispatcher(). Exits
// with 1 when a test fails that expected.json does not list, and when one that it lists does not.
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { fetchSubjects, type Subject } from "./environment.ts";
import { type Expectation, type Judgement, judge, readExpectations } from "./expectation.ts";
import { reportOf, totalsOf } from "./report.ts";
import { type FileResult, runFile } from "./run-file.ts";
import { dispatcherSuite, fetchSuite, type Suite } from "./suite.ts";

const usage =
  "usage: npm run compat -- PATH [--suite fetch|dispatcher] [--json FILE] [--only SUBSTRING] [--fetch mesh|node|undici] [--dispatcher mesh|undici] [--timeout SECONDS]";

/** A suite, and what it is run against. */
interface Trial {
  readonly name: "fetch" | "dispatcher";
  readonly suite: Suite;
  readonly subject: Subject;
}

interface Options {
  readonly trials: readonly Trial[];
  readonly only: string;
  readonly json: string | undefined;
  readonly timeoutMs: number;
}

interface Outcome extends Trial {
  readonly results: readonly FileResult[];
  readonly judgement: Judgement;
}

function optionsOf(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      suite: { type: "string", default: "" },
      json: { type: "string" },
      only: { type: "string", default: "" },
      fetch: { type: "string", default: "mesh" },
      dispatcher: { type: "string", default: "mesh" },
      timeout: { type: "string", default: "180" },
    },
  });
  const [path, ...others] = positionals;
  const subject = fetchSubjects.find((each) => each === values.fetch);
  const timeoutMs = Number(values.timeout) * 1_000;
  if (path === undefined || others.length > 0) throw new Error("one path to a checkout of undici is needed");
  if (subject === undefined) throw new Error(`--fetch: ${values.fetch} is none of ${fetchSubjects.join(", ")}`);
  if (values.dispatcher !== "mesh" && values.dispatcher !== "undici")
    throw new Error(`--dispatcher: ${values.dispatcher} is neither mesh nor undici`);
  if (!["", "fetch", "dispatcher"].includes(values.suite)) throw new Error(`--suite: ${values.suite} is neither fetch nor dispatcher`);
  if (!(timeoutMs > 0)) throw new Error(`--timeout: ${values.timeout} is not a number of seconds`);
  const trials: Trial[] = [];
  if (values.suite !== "dispatcher") trials.push({ name: "fetch", suite: fetchSuite(path), subject });
  if (values.suite !== "fetch") {
    const over = values.dispatcher === "mesh" ? "dispatcher" : "undici dispatcher";
    trials.push({ name: "dispatcher", suite: dispatcherSuite(path), subject: over });
  }
  return { trials, only: values.only, json: values.json, timeoutMs };
}

/** Runs one file at a time: tests of aborts and time limits are unreliable beside others. */
async function runSuite({ suite, subject }: Trial, { only, timeoutMs }: Options, signal: AbortSignal): Promise<FileResult[]> {
  const results: FileResult[] = [];
  for (const path of suite.files) {
    if (!relative(suite.directory, path).includes(only)) continue;
    if (signal.aborted) break;
    results.push(await runFile(suite, path, subject, timeoutMs, signal));
    if (process.stderr.isTTY) process.stderr.write(`\r${results.length}/${suite.files.length}`);
  }
  return results;
}

function summaryOf({ suite, subject, results, judgement }: Outcome) {
  const all = results.flatMap(({ tests }) => tests);
  const files = results.map(({ file, ms, tests }) => ({
    file,
    ms,
    tests: tests.map((test) => ({ ...test, class: judgement.classOf.get(test) })),
  }));
  return { subject, undici: suite.version, digest: suite.digest, touched: totalsOf(all, true), other: totalsOf(all, false), files };
}

/** Whether no test failed that is not expected to, and every one that is did. */
function isAsExpected({ results, judgement }: Outcome): boolean {
  const isKnown = results.every(({ tests }) => tests.every((test) => test.outcome !== "failed" || judgement.classOf.has(test)));
  return isKnown && judgement.repaired.length === 0;
}

async function main(options: Options): Promise<number> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => stop.abort());
  const expectations = readExpectations();
  const outcomes: Outcome[] = [];
  for (const trial of options.trials) {
    const { name, suite, subject } = trial;
    const results = await runSuite(trial, options, stop.signal);
    // The expectation is about the mesh, not about another fetch or dispatcher.
    const isOurs = subject === "mesh" || subject === "dispatcher";
    const expectation: Expectation = isOurs ? expectations[name] : { ...expectations[name], failures: {} };
    const judgement = judge(expectation, suite, results);
    console.log(`${name} of ${subject}, the tests of undici ${suite.version} (${suite.digest}), Node ${process.versions.node}\n`);
    console.log(reportOf(results, expectation, judgement, name));
    const { version, commit } = expectations.suite;
    if (judgement.isOtherSuite) console.log(`\nexpected.json was recorded with other tests: undici ${version}, ${commit}`);
    outcomes.push({ ...trial, results, judgement });
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(outcomes.map(summaryOf), null, 2)}\n`);
  if (stop.signal.aborted) return 130;
  return outcomes.every(isAsExpected) ? 0 : 1;
}

try {
  process.exitCode = await main(optionsOf(process.argv.slice(2)));
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`);
  process.exitCode = 2;
}
