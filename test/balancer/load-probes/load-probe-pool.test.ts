import { describe, expect, it } from "vitest";
import { FailureRate } from "../../../src/balancer/learning/failure-rate.ts";
import { type LoadProbe, LoadProbePool, type LoadProbePoolOptions } from "../../../src/balancer/load-probes/load-probe-pool.ts";
import { testUpstream } from "../../../src/testing/index.ts";

const upstreams = Array.from({ length: 20 }, (_, index) => testUpstream({ port: index + 1 }));
const healthy = () => false;

function probe(index: number, rif: number, latencyMs: number, at = 0, maxUses = Number.POSITIVE_INFINITY): LoadProbe {
  const upstream = upstreams[index] as (typeof upstreams)[0];
  return { upstream, failures: new FailureRate(), rif, latencyMs, at, uses: 0, maxUses };
}

function poolOf(probes: readonly LoadProbe[], options: Partial<LoadProbePoolOptions> = {}): LoadProbePool {
  const pool = new LoadProbePool({ poolSize: 16, maxProbeAgeMs: 1_000, rifQuantile: 0.84, ...options });
  for (const each of probes) pool.add(each);
  return pool;
}

const portsOf = (pool: LoadProbePool) => pool.probes.map(({ upstream }) => upstream.endpoint.port);
const chosenOf = (pool: LoadProbePool, isSick: (each: LoadProbe) => boolean = healthy) => pool.choose(isSick)?.upstream.endpoint.port;

describe("LoadProbePool", () => {
  it("chooses the cold instance with the lowest latency, even when others have fewer requests in flight", () => {
    expect(chosenOf(poolOf([probe(0, 0, 50), probe(1, 5, 10), probe(2, 2, 20), probe(3, 9, 1)]))).toBe(2);
  });

  it("does not choose a hot instance, even when it is the fastest", () => {
    expect(chosenOf(poolOf([probe(0, 1, 50), probe(1, 1, 60), probe(2, 8, 1)]))).toBe(1);
  });

  it("chooses by requests in flight alone with a quantile of 0, and by latency alone with 1", () => {
    const probes = [probe(0, 3, 1), probe(1, 1, 50), probe(2, 2, 20)];
    expect(chosenOf(poolOf(probes, { rifQuantile: 0 }))).toBe(2);
    expect(chosenOf(poolOf(probes, { rifQuantile: 1 }))).toBe(1);
  });

  it("chooses by the latency that it is given for each probe", () => {
    const pool = poolOf([probe(0, 0, 50), probe(1, 0, 10), probe(2, 0, 20)]);
    expect(pool.choose(healthy, ({ latencyMs }) => (latencyMs === 50 ? 5 : latencyMs))?.upstream.endpoint.port).toBe(1);
  });

  it("chooses none from fewer than two probes", () => {
    expect(chosenOf(poolOf([]))).toBeUndefined();
    expect(chosenOf(poolOf([probe(0, 0, 1)]))).toBeUndefined();
  });

  it("chooses sick instances last, and of several the one with the fewest requests in flight", () => {
    const probes = [probe(0, 0, 1), probe(1, 3, 50), probe(2, 2, 60)];
    expect(chosenOf(poolOf(probes), ({ upstream }) => upstream === upstreams[0])).toBe(3);
    expect(chosenOf(poolOf(probes), () => true)).toBe(1);
  });

  it("keeps the newest probe of each instance and drops the oldest when it is full", () => {
    const pool = poolOf([probe(0, 1, 1), probe(1, 1, 1), probe(0, 5, 5)], { poolSize: 3 });
    expect(pool.probes.map(({ rif }) => rif)).toEqual([1, 5]);
    pool.add(probe(2, 1, 1));
    pool.add(probe(3, 1, 1));
    expect(portsOf(pool)).toEqual([1, 3, 4]);
  });

  it("drops probes that are too old, also when the clock goes back", () => {
    const pool = poolOf([probe(0, 1, 1, 0), probe(1, 1, 1, 600)]);
    pool.expire(1_000);
    expect(portsOf(pool)).toEqual([1, 2]);
    pool.expire(1_001);
    expect(portsOf(pool)).toEqual([2]);
    pool.expire(-500);
    expect(portsOf(pool)).toEqual([]);
  });

  it("counts a request that no probe has seen yet as in flight, and drops a probe that is used up", () => {
    const pool = poolOf([probe(0, 0, 10, 0, 2), probe(1, 0, 20), probe(2, 0, 30)]);
    const first = pool.choose(healthy) as LoadProbe;
    pool.use(first);
    expect([first.rif, first.uses]).toEqual([1, 1]);
    expect(chosenOf(pool)).toBe(2);
    pool.use(first);
    expect(portsOf(pool)).toEqual([2, 3]);
  });

  it("removes the oldest and the worst in turn, and leaves two", () => {
    const pool = poolOf([probe(0, 1, 1), probe(1, 9, 1), probe(2, 1, 5), probe(3, 1, 90), probe(4, 1, 7)]);
    pool.removeOne();
    expect(portsOf(pool)).toEqual([2, 3, 4, 5]);
    // The worst probe is the hot one with the most requests in flight; when none is hot, the slowest.
    pool.removeOne();
    expect(portsOf(pool)).toEqual([3, 4, 5]);
    pool.add(probe(5, 1, 2));
    pool.removeOne();
    pool.removeOne();
    expect(portsOf(pool)).toEqual([5, 6]);
    pool.removeOne();
    expect(portsOf(pool)).toEqual([5, 6]);
  });
});
