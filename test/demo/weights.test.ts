import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { cpuQuotas, dutyCycles } from "../../demo/weights/cpu-quota.ts";
import { quotas, WeightsDemo } from "../../demo/weights/weights-demo.ts";
import { weightsPicture } from "../../demo/weights/weights-picture.ts";
import { widthOf } from "../../src/cli/terminal/width.ts";
import { isAlive } from "../servers/is-alive.ts";
import { until } from "../support/until.ts";

const timeout = 90_000;
let demo: WeightsDemo | undefined;
afterEach(() => demo?.close(), timeout);

/** The greatest distance between what an instance can do and what it gets, in points. */
function furthest(of: WeightsDemo): number {
  return Math.max(...of.instances().map(({ canDo, gets }) => 100 * Math.abs(canDo - gets)));
}

describe("shares by the reports of instances of different size", () => {
  it.each([
    ["the best way that this machine has", cpuQuotas],
    ["signals", dutyCycles],
  ] as const)("follow what each can do, with their CPU limited by %s", { timeout }, async (_name, limits) => {
    const made = limits();
    console.log(`CPU is limited ${made.how}`);
    demo = new WeightsDemo(made);
    await demo.start();
    const running = demo;
    await until("each is reported", () => running.instances().every(({ report }) => report === "reported"), 20_000);
    // The window of the shares, and then some, has to pass with the new weights: 20 s in all.
    await until("the shares are within five points", () => furthest(running) <= 5, 18_000);
    const looks: number[] = [];
    for (let look = 0; look < 12; look++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      looks.push(furthest(running));
    }
    // On the way past it they would not stay.
    expect(looks.reduce((sum, each) => sum + each, 0) / looks.length, looks.join(", ")).toBeLessThanOrEqual(5);
    expect(running.failed).toBe(0);
    await running.close();
    expect(running.pids.some(isAlive)).toBe(false);
  });
});

describe("the picture of the demo of weights", () => {
  const instances = Object.entries(quotas).map(([name, cpus]) => ({
    name,
    cpus,
    canDo: cpus / 0.525,
    gets: cpus / 0.525,
    weight: 12_345,
    report: "blackout",
  }));
  const state = { title: 'weighted({ by: "reported" }), 80 calls a second', seconds: 20, instances };

  it("fits into terminals of 60 to 200 columns, with each instance in a line", () => {
    for (let width = 60; width <= 200; width++) {
      const lines = weightsPicture(state, width);
      expect(Math.max(...lines.map(widthOf)), `${width} columns`).toBeLessThanOrEqual(width);
      for (const name of Object.keys(quotas)) expect(lines.filter((line) => line.startsWith(name))).toHaveLength(1);
      expect(lines.at(-1)).toContain("█");
    }
  });

  it("shows the bars in proportion", () => {
    const bars = weightsPicture(state, 200)
      .slice(-3)
      .map((line) => line.split("█").length - 1);
    expect(bars).toEqual([29, 14, 7]);
  });
});

it("npm run demo -- --weights leaves no process behind when it is stopped", { timeout }, async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../demo/demo.ts"), "--weights"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise((resolve) => child.once("close", resolve));
  await until("the load runs", () => output.includes("CAN DO"), 30_000);
  expect(output).toMatch(/their CPU is limited by (cgroup v[12]|SIGSTOP)/);
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ").map(Number);
  expect(children).toHaveLength(3);
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  expect(children.some(isAlive)).toBe(false);
});
