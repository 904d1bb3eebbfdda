import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { type Subject, subjectVariable, suiteVariable, touchedVariable } from "./environment.ts";
import type { ReportLine } from "./reporter.ts";
import type { Suite } from "./suite.ts";

/** The result of one test of a file, or a failure of the process itself (line 0). */
export interface TestResult {
  readonly name: string;
  readonly line: number;
  readonly outcome: "passed" | "failed" | "skipped";
  /** The error of a failed test; empty otherwise. */
  readonly why: string;
  /** The test called the fetch that is tested. */
  readonly isAboutFetch: boolean;
}

/** The results of one file of the suite. */
export interface FileResult {
  readonly file: string;
  readonly tests: readonly TestResult[];
  readonly ms: number;
}

/** Runs one file of the suite in a process of its own. After `timeoutMs` the process is killed, with all processes that it has started. */
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
        `--import=${new URL(subject.endsWith("dispatcher") ? "preload-dispatcher.ts" : "preload.ts", import.meta.url)}`,
        `--test-reporter=${new URL("reporter.ts", import.meta.url)}`,
        `--test-reporter-destination=${report}`,
        path,
      ],
      suite.root,
      // Each process reads the same sources: they are compiled once.
      {
        ...environment(),
        NODE_COMPILE_CACHE: join(tmpdir(), "inmesh-compat-compiled"),
        [suiteVariable]: suite.root,
        [subjectVariable]: subject,
        [touchedVariable]: touched,
      },
      timeoutMs,
      signal,
    );
    return {
      file: relative(suite.directory, path),
      tests: resultsOf(linesOf<ReportLine>(report), new Set(linesOf<string>(touched)), end),
      ms: Math.round(performance.now() - startedAt),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The environment without variables that would change the child: options for Node, proxies, reports of a surrounding test run. */
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
    // A process group of its own: some tests start processes.
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
      // Processes that a test has started and left behind keep the pipe open.
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
    .flatMap((line) => parsed<Line>(line));
}

/** A process that was killed, or has threads that report too, leaves pieces of lines. */
function parsed<Line>(line: string): Line[] {
  try {
    return [JSON.parse(line) as Line];
  } catch {
    return [];
  }
}

function resultsOf(lines: readonly ReportLine[], touched: ReadonlySet<string>, end: ProcessEnd): TestResult[] {
  const open = new Map<string, ReportLine>();
  const results: TestResult[] = [];
  // The tests inside of a test or of a hook may check what that has fetched.
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
