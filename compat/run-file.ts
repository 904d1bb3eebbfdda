import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type Subject, subjectVariable, suiteVariable, touchedVariable } from "./environment.ts";
import type { ReportLine } from "./reporter.ts";
import type { Suite } from "./suite.ts";

/** One test of a file, or what the process itself did wrong (line 0). */
export interface TestResult {
  readonly name: string;
  readonly line: number;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly why: string;
  /** It called the fetch that is measured. */
  readonly isAboutFetch: boolean;
}

export interface FileResult {
  readonly file: string;
  readonly tests: readonly TestResult[];
  readonly ms: number;
}

/** Runs one file of the suite in a process of its own and ends that process after `timeoutMs`, with all that it has started. */
export async function runFile(suite: Suite, path: string, subject: Subject, timeoutMs: number, signal: AbortSignal): Promise<FileResult> {
  const directory = mkdtempSync(join(tmpdir(), "inmesh-compat-"));
  try {
    const report = join(directory, "report");
    const touched = join(directory, "touched");
    const startedAt = performance.now();
    const end = await runProcess(
      [
        "--expose-gc",
        "--no-warnings",
        `--import=${new URL("preload.ts", import.meta.url)}`,
        `--test-reporter=${new URL("reporter.ts", import.meta.url)}`,
        `--test-reporter-destination=${report}`,
        path,
      ],
      suite.root,
      { ...environment(), [suiteVariable]: suite.root, [subjectVariable]: subject, [touchedVariable]: touched },
      timeoutMs,
      signal,
    );
    return {
      file: basename(path),
      tests: resultsOf(linesOf<ReportLine>(report), new Set(linesOf<string>(touched)), end),
      ms: Math.round(performance.now() - startedAt),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Ours without what would steer the child: options for Node, proxies, reports of a surrounding test run. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^node_|_proxy$/i.test(name)));
}

interface ProcessEnd {
  readonly code: number | null;
  readonly isTimedOut: boolean;
  readonly stderr: string;
}

function runProcess(args: string[], cwd: string, env: NodeJS.ProcessEnv, timeoutMs: number, signal: AbortSignal): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    let isTimedOut = false;
    let stderr = "";
    // A group of its own: some tests start processes.
    const child = spawn(process.execPath, args, { cwd, env, detached: true, stdio: ["ignore", "ignore", "pipe"] });
    const end = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // The whole group has ended already.
      }
    };
    const timer = setTimeout(() => {
      isTimedOut = true;
      end();
    }, timeoutMs);
    signal.addEventListener("abort", end, { once: true });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < 10_000) stderr += text;
    });
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    };
    child.once("error", (error) => {
      settle();
      reject(error);
    });
    child.once("exit", (code) => {
      settle();
      // What a test has started and left behind has the pipe open still.
      end();
      child.stderr.destroy();
      resolve({ code, isTimedOut, stderr });
    });
  });
}

function linesOf<Line>(file: string): Line[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

function resultsOf(lines: readonly ReportLine[], touched: ReadonlySet<string>, end: ProcessEnd): TestResult[] {
  const open = new Map<string, ReportLine>();
  const results: TestResult[] = [];
  // What a test, or a hook around several, has fetched may be looked at by the tests inside it.
  const isTouched = (name: string) => [...touched].some((each) => name === each || name.startsWith(`${each} > `));
  const add = (name: string, line: number, outcome: TestResult["outcome"], why: string) =>
    results.push({ name, line, outcome, why, isAboutFetch: isTouched(name) });
  for (const line of lines) {
    if (line.type === "begin") open.set(line.name, line);
    else {
      open.delete(line.name);
      if (!line.isGroup) add(line.name, line.line, line.outcome, line.why);
    }
  }
  if (end.isTimedOut) for (const { name, line } of open.values()) add(name, line, "failed", "it did not end");
  const isExplained = results.some(({ outcome }) => outcome === "failed");
  if (!isExplained && (end.isTimedOut || end.code !== 0)) {
    const why = end.isTimedOut
      ? "every test has ended and the process has not"
      : `the process ended with ${end.code}: ${errorIn(end.stderr)}`;
    results.push({ name: "(the process)", line: 0, outcome: "failed", why, isAboutFetch: touched.size > 0 });
  }
  return results;
}

function errorIn(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  return lines.find((line) => /^(?:\w*Error|AssertionError)\b/.test(line)) ?? lines.find(Boolean) ?? "";
}
