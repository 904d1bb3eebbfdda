// npm test [-- [--no-servers] vitest arguments]: builds the servers that are missing unless told not to, runs the tests, and
// ends with one line of counts.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countsFileVariable, readCounts, summary } from "./counts.ts";

const root = join(import.meta.dirname, "..");
const graceMs = 10_000;
const signalNumbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

let running: ChildProcess | undefined;
let stoppedBy: keyof typeof signalNumbers | undefined;

/** Signals the child with everything it has started: it has a process group of its own. */
const signalGroup = (child: ChildProcess | undefined, signal: NodeJS.Signals): void => {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
};

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    // Who asks twice does not want to wait.
    signalGroup(running, stoppedBy === undefined ? name : "SIGKILL");
    stoppedBy ??= name;
    setTimeout(() => signalGroup(running, "SIGKILL"), graceMs).unref();
  });
}

/** Runs a script of Node's to its end; 1 for one that crashed. */
const runNode = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> =>
  new Promise((resolve) => {
    if (stoppedBy !== undefined) return resolve(1);
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    running = child;
    child.once("error", (error) => {
      console.error(error);
      resolve(1);
    });
    child.once("close", (code) => resolve(code ?? 1));
  });

const directory = mkdtempSync(join(tmpdir(), "inmesh-counts-"));
const countsFile = join(directory, "counts.json");
const given = process.argv.slice(2);
const serversCode = given.includes("--no-servers") ? 0 : await runNode(["test/servers/build.ts"]);
const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "run", ...given.filter((each) => each !== "--no-servers")];
const testsCode = await runNode(vitest, { [countsFileVariable]: countsFile });
const counts = readCounts(countsFile, testsCode);
rmSync(directory, { recursive: true, force: true });

const isCi = process.env["CI"] === "true";
const isGood = serversCode === 0 && testsCode === 0 && counts.failed === 0 && !(isCi && counts.skipped > 0);
if (serversCode !== 0) console.error("A server could not be built: see the first lines of this run.");
if (isCi && counts.skipped > 0) console.error("With CI=true a skipped test is a failure.");
process.exitCode = stoppedBy !== undefined ? 128 + signalNumbers[stoppedBy] : isGood ? 0 : 1;
console.log(summary(counts));
