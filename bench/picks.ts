import { Balancer } from "../src/balancer/balancer.ts";
import { random, roundRobin, weighted } from "../src/index.ts";
import { testRequest } from "../src/testing/index.ts";
import { type BenchReport, median } from "./report.ts";

const sizes = [3, 100, 10_000];
const batchMs = 20;

/** What one pick costs, through the balancer, at several numbers of endpoints; weights differ where the picker reads them. */
export async function picks(rounds = 9): Promise<BenchReport> {
  const pickers = {
    roundRobin: () => roundRobin(),
    "random, equal": () => random(),
    "random, weights differ": () => random(),
    "weighted, equal": () => weighted(),
    "weighted, weights differ": () => weighted(),
  };
  const request = testRequest();
  const rows: (string | number)[][] = [];
  for (const [name, create] of Object.entries(pickers)) {
    const row: (string | number)[] = [name];
    for (const size of sizes) {
      const balancer = new Balancer({ service: "bench", picker: create() });
      balancer.update(
        Array.from({ length: size }, (_, index) => ({
          id: String(index),
          host: "127.0.0.1",
          port: index + 1,
          weight: name.includes("differ") ? 1 + (index % 7) : 1,
        })),
      );
      row.push(median(Array.from({ length: rounds }, () => nanosPerPick(() => balancer.pick(request, true)))));
    }
    rows.push(row);
  }
  return {
    bench: "picks",
    about: "ns per pick through the balancer, by number of endpoints",
    node: process.version,
    rounds,
    columns: ["picker", ...sizes.map((size) => `${size} endpoints`)],
    rows,
    bounds: [],
    ratios: {},
  };
}

function nanosPerPick(pick: () => unknown): number {
  const endAt = performance.now() + batchMs;
  let count = 0;
  const startedAt = performance.now();
  while (performance.now() < endAt) {
    for (let index = 0; index < 100; index++) pick();
    count += 100;
  }
  return ((performance.now() - startedAt) * 1e6) / count;
}
