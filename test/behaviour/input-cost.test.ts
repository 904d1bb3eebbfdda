import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { maglevTable } from "../../src/balancer/hashing/maglev-table.ts";
import { loadReportOf } from "../../src/balancer/load-reports/load-report.ts";
import { Upstream } from "../../src/core/upstream.ts";
import { fileDiscovery } from "../../src/discovery/file/file.ts";
import { validateEndpoints } from "../../src/discovery/validate.ts";
import { nearestName } from "../../src/suggestions/nearest-name.ts";
import { WatchReader } from "../../src/testing/contract/watch-reader.ts";

/** Milliseconds of processor time of this process: the least of several runs, since other processes and the collector get in between. */
function costOf(run: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 5; turn++) {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

/** Each takes less than 50 ms on a machine that does nothing else; without its bound, each took from 60 ms (the report) to seconds. */
const limitMs = 200;
const entries = (count: number, id: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => ({ id: id(index), host: "10.0.0.1", port: 80 }));
const names = Array.from({ length: 10_000 }, (_, index) => `service-${index}-`.padEnd(60, "abcdefgh"));
const million = entries(1_000_000, (index) => `instance-${index}`);
const longIds = entries(100_000, (index) => `${index}`.padEnd(512, "x"));
const heavy = entries(10_000, (index) => `instance-${index}`).map(
  (each, index) => new Upstream("orders", { ...each, weight: index === 0 ? 65_535 : 1 }),
);

describe("the time that an input can take", () => {
  it.each<[string, () => unknown]>([
    ["an answer of a million entries", () => validateEndpoints(million)],
    ["an answer of a hundred thousand entries with the longest ids", () => validateEndpoints(longIds)],
    ["a name of 64 letters that is none of ten thousand", () => nearestName("x".repeat(64), names)],
    ["a name of 250 letters", () => nearestName("x".repeat(250), names)],
    [
      "a load report of 8,192 digits",
      () => loadReportOf({ headers: ["endpoint-load-metrics", `TEXT cpu_utilization=${"0".repeat(8_160)}x`] }),
    ],
    ["one weight of 65,535 among ten thousand, in a Maglev table", () => maglevTable(heavy, 65_537, undefined)],
  ])("is short for %s", (_input, run) => {
    expect(costOf(run)).toBeLessThan(limitMs);
  });
});

describe("an answer of a million entries", () => {
  it("is cut down to 10,000 endpoints, and the number of the others is told", () => {
    const { endpoints, rejected } = validateEndpoints(million);
    expect(endpoints.length).toBe(10_000);
    expect(rejected[0]).toEqual({
      entry: undefined,
      reason: expect.stringMatching(/^9[78]\d{4} entries were not looked at: without an id, or beyond 20000$/),
    });
  });
});

describe("a list in YAML", () => {
  it.each([
    [
      "of many anchors",
      Array.from({ length: 1_000 }, (_, index) => `a${index}: &a${index} []\nb${index}: *a${index}`).join("\n"),
      /2000 anchors and aliases; 200 are allowed/,
    ],
    [
      "of aliases of aliases",
      [
        "a: &a [x,x,x,x,x,x,x,x,x]",
        ...[..."bcdefghij"].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghi"[index]}`).join(",")}]`),
      ].join("\n"),
      /alias/i,
    ],
    ["of 300 KiB", `orders:\n${"  # nothing\n".repeat(30_000)}`, /bytes; 262144 are allowed/],
  ])("%s is refused", async (_what, text, message) => {
    const directory = await mkdtemp(join(tmpdir(), "inmesh-yaml-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    const path = join(directory, "services.yaml");
    await writeFile(path, text);
    const reader = new WatchReader(fileDiscovery(path), "orders");
    await expect(reader.first(5_000)).rejects.toThrow();
    expect(String(reader.error)).toMatch(message);
    await reader.stop();
  });
});
