import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readCounts, summary } from "./counts.ts";

const root = join(import.meta.dirname, "..");
const directories: string[] = [];
const children: ChildProcess[] = [];

/** A project of its own with the given test files, inside the package so that it finds vitest. */
function project(files: Readonly<Record<string, string>>): string {
  mkdirSync(join(root, ".test-results"), { recursive: true });
  const directory = mkdtempSync(join(root, ".test-results/run-"));
  directories.push(directory);
  const config = `import { CountsReporter } from ${JSON.stringify(join(root, "test/counts-reporter.ts"))};
export default { test: { reporters: ["default", new CountsReporter()], include: ["*.test.ts"], maxWorkers: 1 } };\n`;
  for (const [name, text] of Object.entries({ "vitest.config.ts": config, ...files })) {
    writeFileSync(
      join(directory, name),
      name.endsWith(".test.ts") ? `import { beforeAll, expect, it, describe } from "vitest";\n${text}` : text,
    );
  }
  return directory;
}

function start(directory: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST$|NODE_ENV$|CI$|INMESH_)/.test(name));
  const config = join(directory, "vitest.config.ts");
  const child = spawn(process.execPath, ["test/run.ts", "--no-servers", "--root", directory, "--config", config], {
    cwd: root,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  children.push(child);
  return child;
}

interface Ended {
  readonly code: number | null;
  readonly lastLine: string;
}

async function run(files: Readonly<Record<string, string>>, env?: Readonly<Record<string, string>>): Promise<Ended> {
  const child = start(project(files), env);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, lastLine: output.trimEnd().split("\n").at(-1) ?? "" };
}

const passing = 'it("passes", () => expect(1).toBe(1));\n';
const skipped = 'it.skip("is skipped", () => {});\n';

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.kill("SIGTERM")) await once(child, "close");
  }
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

describe("npm test", { timeout: 90_000 }, () => {
  it("ends with the counts and exit code 0 when all is well", async () => {
    expect(await run({ "a.test.ts": passing, "b.test.ts": passing })).toEqual({ code: 0, lastLine: "2 passed, 0 failed" });
  });

  it("says how many were skipped, which is a failure with CI=true", async () => {
    const files = { "a.test.ts": passing + skipped };
    expect(await run(files)).toEqual({ code: 0, lastLine: "1 passed, 0 failed, 1 skipped" });
    expect(await run(files, { CI: "true" })).toEqual({ code: 1, lastLine: "1 passed, 0 failed, 1 skipped" });
  });

  it("counts failed tests, files that do not load, hooks that throw and errors outside of tests", async () => {
    const files = {
      "failing.test.ts": `${passing}it("fails", () => expect(1).toBe(2));\n`,
      "broken.test.ts": 'throw new Error("not loaded");\n',
      "hook.test.ts": `describe("x", () => { beforeAll(() => { throw new Error("hook"); }); ${passing} });\n`,
      "loose.test.ts": `${passing}it("leaves something behind", () => { setTimeout(() => { throw new Error("loose"); }, 0); });
it("waits for it", () => new Promise((resolve) => setTimeout(resolve, 50)));\n`,
    };
    expect(await run(files)).toEqual({ code: 1, lastLine: "4 passed, 4 failed, 1 skipped" });
  });

  it("fails when a test ends its process", async () => {
    const { code, lastLine } = await run({
      "a.test.ts": `${passing}it("is the last", () => { process.kill(process.pid, "SIGKILL"); });\n`,
    });
    expect(code).toBe(1);
    expect(lastLine).toMatch(/ passed, [1-9]\d* failed/);
  });

  it("fails when vitest cannot start", async () => {
    expect(await run({ "a.test.ts": passing, "vitest.config.ts": "throw new Error();\n" })).toEqual({
      code: 1,
      lastLine: "0 passed, 1 failed",
    });
  });

  it("fails when there is nothing to run", async () => {
    expect(await run({})).toEqual({ code: 1, lastLine: "0 passed, 1 failed" });
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends everything it has started on %s", async (signal) => {
    const directory = project({
      "a.test.ts": `import { spawn } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
it("hangs", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
  const file = join(import.meta.dirname, "pids.json");
  writeFileSync(file + ".partial", JSON.stringify([process.pid, child.pid]));
  renameSync(file + ".partial", file);
  await new Promise(() => {});
}, 1e9);\n`,
    });
    const child = start(directory);
    const pidFile = join(directory, "pids.json");
    await expect.poll(() => existsSync(pidFile), { timeout: 25_000, interval: 50 }).toBe(true);
    const pids = JSON.parse(readFileSync(pidFile, "utf8")) as number[];
    expect(pids.map(isAlive)).toEqual([true, true]);
    child.kill(signal);
    const [code] = (await once(child, "close")) as [number | null];
    expect(code).toBe(signal === "SIGINT" ? 130 : 143);
    await expect.poll(() => pids.filter(isAlive), { timeout: 5_000, interval: 50 }).toEqual([]);
  });
});

describe("the last line", () => {
  it("never says that nothing failed when the run did", () => {
    expect(summary(readCounts(join(root, "no-such-file"), 0))).toBe("0 passed, 1 failed");
    const directory = project({ "counts.json": '{"passed":3,"failed":0,"skipped":0}' });
    expect(summary(readCounts(join(directory, "counts.json"), 0))).toBe("3 passed, 0 failed");
    expect(summary(readCounts(join(directory, "counts.json"), 1))).toBe("3 passed, 1 failed");
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
