import { Balancer } from "../src/balancer/balancer.ts";
import { adaptive, leastRequest, localResponse, maglev, peakEwma, random, ringHash, roundRobin, weighted } from "../src/index.ts";
import { testRequest } from "../src/testing/index.ts";
import { type BenchReport, median } from "./report.ts";

const sizes = [3, 20, 100, 10_000];
const batchMs = 20;

/** What one pick costs, through the balancer, at several numbers of endpoints; weights differ where the picker reads them. */
export async function picks(rounds = 9): Promise<BenchReport> {
  const pickers = {
    roundRobin: () => roundRobin(),
    "random, equal": () => random(),
    "random, weights differ": () => random(),
    "weighted, equal": () => weighted(),
    "weighted, weights differ": () => weighted(),
    "leastRequest, of 2": () => leastRequest(),
    "leastRequest, of all": () => leastRequest({ choices: "all" }),
    "leastRequest, weights differ": () => leastRequest(),
    "peakEwma, of 2": () => peakEwma(),
    "adaptive, unknown": () => adaptive(),
    "adaptive, learnt": () => adaptive(),
    "adaptive, learnt, some fail": () => adaptive(),
    ringHash: () => ringHash(),
    "ringHash, balanceFactor 125": () => ringHash({ balanceFactor: 125 }),
    maglev: () => maglev(),
    "maglev, balanceFactor 125": () => maglev({ balanceFactor: 125 }),
  };
  const request = testRequest({ path: "/users/42" });
  const keyed = Array.from({ length: 1_024 }, (_, index) => testRequest({ path: "/users/42", options: { hashKey: `user-${index}` } }));
  const answer = localResponse(200);
  const rows: (string | number)[][] = [];
  for (const [name, create] of Object.entries(pickers)) {
    const row: (string | number)[] = [name];
    for (const size of sizes) {
      const picker = create();
      const balancer = new Balancer({ service: "bench", picker });
      balancer.update(
        Array.from({ length: size }, (_, index) => ({
          id: String(index),
          host: "127.0.0.1",
          port: index + 1,
          weight: name.includes("differ") ? 1 + (index % 7) : 1,
        })),
      );
      for (const [index, upstream] of balancer.upstreams.entries()) {
        const learner = name.includes("unknown") ? undefined : picker.onAttempt?.(upstream, request);
        learner?.onHead({ ...answer, status: name.includes("fail") && index % 4 === 0 ? 503 : 200 });
        learner?.onEnd(undefined);
      }
      let call = 0;
      const pick = /^(ringHash|maglev)/.test(name)
        ? () => balancer.pick(keyed[call++ % keyed.length] ?? request, true)
        : () => balancer.pick(request, true);
      row.push(median(Array.from({ length: rounds }, () => nanosPerPick(pick))));
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
