import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LatencyBuckets } from "../../src/admin/latency-buckets.ts";

function exact(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * quantile) - 1] as number;
}

describe("latencies in buckets", () => {
  it("give quantiles that are right to a fortieth, whatever the latencies are", () => {
    const latency = fc.double({ min: 0.02, max: 100_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 300 }), (values) => {
        const buckets = new LatencyBuckets();
        for (const value of values) buckets.add(value);
        const { p50, p95, p99 } = buckets.read() ?? { p50: 0, p95: 0, p99: 0 };
        for (const [got, quantile] of [
          [p50, 0.5],
          [p95, 0.95],
          [p99, 0.99],
        ] as const) {
          expect(Math.abs(got / exact(values, quantile) - 1)).toBeLessThan(0.025);
        }
      }),
    );
  });

  it("say nothing without a latency, and after they were cleared", () => {
    const buckets = new LatencyBuckets();
    expect(buckets.read()).toBeNull();
    buckets.add(5);
    buckets.clear();
    expect(buckets.read()).toBeNull();
  });

  it("take what is too small, too large and zero", () => {
    const buckets = new LatencyBuckets();
    for (const value of [0, 1e-9, 1e9]) buckets.add(value);
    expect(buckets.read()?.p50).toBeLessThan(0.02);
    expect(buckets.read()?.p99).toBeGreaterThan(100_000);
  });

  it("can be put together", () => {
    const [one, other] = [new LatencyBuckets(), new LatencyBuckets()];
    for (let count = 0; count < 99; count++) one.add(1);
    for (let count = 0; count < 101; count++) other.add(100);
    one.merge(other);
    expect(one.read()?.p50).toBeCloseTo(100, -1);
  });
});
