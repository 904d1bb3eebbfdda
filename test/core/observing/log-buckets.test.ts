import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogBuckets } from "../../../src/core/observing/log-buckets.ts";

function exact(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * quantile) - 1] as number;
}

describe("latencies in buckets", () => {
  it("give quantiles that are right to a fortieth, whatever the latencies are", () => {
    const latency = fc.double({ min: 0.02, max: 100_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 300 }), (values) => {
        const buckets = new LogBuckets(16);
        for (const value of values) buckets.add(value);
        expect(buckets.total).toBe(values.length);
        for (const share of [0.5, 0.95, 0.99]) {
          const wanted = exact(values, share);
          expect(Math.abs((buckets.quantile(share, 0.5) as number) / wanted - 1)).toBeLessThan(0.025);
          expect(buckets.quantile(share, 1)).toBeGreaterThanOrEqual(wanted * 0.9999);
        }
      }),
    );
  });

  it("say nothing without a latency, and after they were cleared", () => {
    const buckets = new LogBuckets(16);
    expect(buckets.quantile(0.5, 0.5)).toBeUndefined();
    buckets.add(5);
    buckets.clear();
    expect([buckets.total, buckets.quantile(0.5, 0.5)]).toEqual([0, undefined]);
  });

  it("take what is too small, too large and zero", () => {
    const buckets = new LogBuckets(16);
    for (const value of [0, 1e-9, 1e9]) buckets.add(value);
    expect(buckets.quantile(0.5, 0.5)).toBeLessThan(0.02);
    expect(buckets.quantile(0.99, 0.5)).toBeGreaterThan(100_000);
  });

  it("can be put together", () => {
    const [one, other] = [new LogBuckets(16), new LogBuckets(16)];
    for (let count = 0; count < 99; count++) one.add(1);
    for (let count = 0; count < 101; count++) other.add(100);
    one.merge(other);
    expect(one.total).toBe(200);
    expect(one.quantile(0.5, 0.5)).toBeCloseTo(100, -1);
  });
});
