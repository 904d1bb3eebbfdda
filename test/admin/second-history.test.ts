import { describe, expect, it } from "vitest";
import { counted, SecondHistory } from "../../src/admin/second-history.ts";

describe("the seconds of a service", () => {
  it("sum up the whole seconds before this one, and say how many there were", () => {
    const seconds = new SecondHistory(100);
    seconds.count(100, counted.calls);
    seconds.count(102, counted.calls);
    seconds.count(102, counted.failures);
    seconds.count(103, counted.retries);
    expect(seconds.sum(103, 10)).toEqual({
      sums: { calls: 2, failures: 1, attempts: 0, attemptFailures: 0, retries: 0, hedges: 0 },
      seconds: 3,
    });
    expect(seconds.sum(104, 2).sums).toMatchObject({ calls: 1, retries: 1 });
    expect(seconds.sum(100, 10).sums).toMatchObject({ calls: 2 });
  });

  it("forget what is older than two minutes, also when nothing happened in between", () => {
    const seconds = new SecondHistory(0);
    for (let at = 0; at < 60; at++) seconds.count(at, counted.calls);
    expect(seconds.sum(60, 60).sums.calls).toBe(60);
    expect(seconds.sum(90, 60).sums.calls).toBe(30);
    seconds.count(500, counted.calls);
    expect(seconds.sum(501, 119).sums.calls).toBe(1);
    expect(seconds.list(501, 0, 0).filter(({ calls }) => calls > 0)).toHaveLength(1);
  });

  it("list each second with its latencies, after the one that is known already", () => {
    const seconds = new SecondHistory(10);
    for (const [at, ms] of [
      [10, 5],
      [12, 50],
    ] as const) {
      seconds.count(at, counted.calls);
      seconds.latency(at, ms);
    }
    const listed = seconds.list(13, 0, 1_000);
    expect(listed.map(({ atS, calls }) => [atS, calls])).toEqual([
      [1_010, 1],
      [1_011, 0],
      [1_012, 1],
    ]);
    expect(listed[0]?.latencyMs?.p50).toBeCloseTo(5, 0);
    expect(listed[1]?.latencyMs).toBeNull();
    expect(listed[2]?.latencyMs?.p99).toBeCloseTo(50, -1);
    expect(seconds.list(13, 1_011, 1_000).map(({ atS }) => atS)).toEqual([1_012]);
    expect(seconds.list(1_000, 0, 0)).toHaveLength(119);
  });

  it("have the latencies of the last minute and no older ones", () => {
    const seconds = new SecondHistory(0);
    seconds.latency(5, 1_000);
    seconds.latency(40, 1);
    expect(seconds.latencies(41)?.p99).toBeGreaterThan(900);
    expect(seconds.latencies(61)?.p99).toBeGreaterThan(900);
    expect(seconds.latencies(75)?.p99).toBeLessThan(2);
    expect(seconds.latencies(200)).toBeNull();
  });
});
