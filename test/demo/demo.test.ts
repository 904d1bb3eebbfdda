import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { available } from "../servers/available.ts";
import { isAlive } from "../servers/is-alive.ts";
import { until } from "../support/until.ts";

const root = join(import.meta.dirname, "../..");
const timeout = 90_000;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-demo-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const registries = [
  ["memory", true],
  ["consul", available("consul")],
  ["eureka", available("eureka")],
  ["dns", available("bind")],
] as const;

describe("the demo", () => {
  for (const [registry, isAvailable] of registries) {
    it.skipIf(!isAvailable)(`loses no GET on ${registry} while an instance is killed and another hangs`, { timeout }, async () => {
      const json = join(directory, `${registry}.json`);
      const { code, output } = await start(["--registry", registry, "--json", json]).ended;
      expect(output).toContain("No GET failed.");
      expect(code).toBe(0);
      const report = JSON.parse(await readFile(json, "utf8")) as Record<string, unknown>;
      expect(report).toMatchObject({ registry, getFailed: 0 });
      expect(report["getOk"]).toBeGreaterThan(500);
      // Both were noticed: the killed instance by its breaker, the hanging one by the picker.
      expect(report["breakerOpened"]).toBeGreaterThanOrEqual(1);
      expect(report["avoided"]).toBeGreaterThanOrEqual(1);
      // By the id that the registry gives it.
      expect(output).toMatch(/the picker avoids \S*(shop-c|:\d+): .+next try/);
      expect(report["retries"]).toBeGreaterThan(0);
    });
  }

  it("leaves no process behind when it is stopped", { timeout }, async () => {
    const demo = start([]);
    await until("the load runs", () => demo.output().includes("share the load"), 20_000);
    const children = await childrenOf(demo.process.pid as number);
    expect(children).toHaveLength(3);
    demo.process.kill("SIGINT");
    expect((await demo.ended).code).toBe(130);
    await until("the instances are gone", () => !children.some(isAlive), 5_000);
  });

  it("names the registries when an unknown one is given", async () => {
    const { code, output } = await start(["--registry", "zookeeper"]).ended;
    expect(code).toBe(2);
    expect(output).toContain("memory, consul, eureka, dns");
  });
});

function start(args: readonly string[]): {
  process: ChildProcess;
  output(): string;
  ended: Promise<{ code: number | null; output: string }>;
} {
  const child = spawn(process.execPath, [join(root, "demo/demo.ts"), ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => child.once("close", (code) => resolve({ code, output })));
  return { process: child, output: () => output, ended };
}

/** The process ids of the children of a process, from /proc. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").filter(Boolean).map(Number);
}
