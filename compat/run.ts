// npm run compat -- PATH [--json FILE] [--only SUBSTRING] [--fetch mesh|node|undici] [--timeout SECONDS]: runs undici's tests of
// fetch, from a checkout at PATH, against mesh.fetch. Exits with 1 when a test fails that expected.json does not list.
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { type Subject, subjects } from "./environment.ts";
import { judge, readExpectation } from "./expectation.ts";
import { reportOf, totalsOf } from "./report.ts";
import { type FileResult, runFile } from "./run-file.ts";
import { type Suite, suiteIn } from "./suite.ts";

const usage = "usage: npm run compat -- PATH [--json FILE] [--only SUBSTRING] [--fetch mesh|node|undici] [--timeout SECONDS]";

interface Options {
  readonly suite: Suite;
  readonly subject: Subject;
  readonly only: string;
  readonly json: string | undefined;
  readonly timeoutMs: number;
}

function optionsOf(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: "string" },
      only: { type: "string", default: "" },
      fetch: { type: "string", default: "mesh" },
      timeout: { type: "string", default: "60" },
    },
  });
  const [path, ...others] = positionals;
  const subject = subjects.find((each) => each === values.fetch);
  const timeoutMs = Number(values.timeout) * 1_000;
  if (path === undefined || others.length > 0) throw new Error("one path to a checkout of undici is needed");
  if (subject === undefined) throw new Error(`--fetch: ${values.fetch} is none of ${subjects.join(", ")}`);
  if (!(timeoutMs > 0)) throw new Error(`--timeout: ${values.timeout} is not a number of seconds`);
  return { suite: suiteIn(path), subject, only: values.only, json: values.json, timeoutMs };
}

/** Runs one file at a time: tests of aborts and time limits are unreliable beside others. */
async function runSuite({ suite, subject, only, timeoutMs }: Options, signal: AbortSignal): Promise<FileResult[]> {
  const results: FileResult[] = [];
  for (const path of suite.files) {
    if (!basename(path).includes(only)) continue;
    if (signal.aborted) break;
    results.push(await runFile(suite, path, subject, timeoutMs, signal));
    if (process.stderr.isTTY) process.stderr.write(`\r${results.length}/${suite.files.length}`);
  }
  return results;
}

async function main(options: Options): Promise<number> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => stop.abort());
  const results = await runSuite(options, stop.signal);
  const { suite, subject } = options;
  const expectation = readExpectation();
  // The expectation is about the mesh, not about another fetch.
  const judgement = judge(subject === "mesh" ? expectation : { ...expectation, failures: {} }, suite, results);
  console.log(`fetch of ${subject}, the tests of undici ${suite.version} (${suite.digest}), Node ${process.versions.node}\n`);
  console.log(reportOf(results, expectation, judgement));
  if (judgement.isOtherSuite)
    console.log(`\nexpected.json was recorded with other tests: undici ${expectation.suite.version}, ${expectation.suite.commit}`);
  if (options.json !== undefined) {
    const files = results.map(({ file, ms, tests }) => ({
      file,
      ms,
      tests: tests.map((test) => ({ ...test, class: judgement.classOf.get(test) })),
    }));
    const all = results.flatMap(({ tests }) => tests);
    const summary = { subject, undici: suite.version, digest: suite.digest, fetch: totalsOf(all, true), other: totalsOf(all, false) };
    writeFileSync(options.json, `${JSON.stringify({ ...summary, files }, null, 2)}\n`);
  }
  if (stop.signal.aborted) return 130;
  const isKnown = results.every(({ tests }) => tests.every((test) => test.outcome !== "failed" || judgement.classOf.has(test)));
  return isKnown ? 0 : 1;
}

try {
  process.exitCode = await main(optionsOf(process.argv.slice(2)));
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`);
  process.exitCode = 2;
}
