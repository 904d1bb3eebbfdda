import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LatencyHistogram } from "../../../src/policies/hedge/latency-histogram.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";

describe("LatencyHistogram", () => {
  it("knows percentiles to within a tenth, from a hundredth of a millisecond to minutes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (values, quantile) => {
          const histogram = new LatencyHistogram(virtualClock());
          for (const value of values) histogram.record(value);
          const exact = values.toSorted((a, b) => a - b)[Math.ceil(values.length * quantile) - 1] as number;
          const found = histogram.quantile(quantile, 1) as number;
          expect(found).toBeGreaterThanOrEqual(exact * 0.9999);
          expect(found).toBeLessThanOrEqual(exact * 1.0906);
        },
      ),
    );
  });

  it("says nothing of too few, and takes what is out of range for the nearest it knows", () => {
    const histogram = new LatencyHistogram(virtualClock());
    expect(histogram.quantile(0.5, 1)).toBeUndefined();
    for (const odd of [0, -5, 1e12, Number.POSITIVE_INFINITY]) histogram.record(odd);
    expect(histogram.quantile(0.5, 5)).toBeUndefined();
    expect(histogram.quantile(0.5, 4)).toBeLessThan(0.02);
    expect(histogram.quantile(1, 4)).toBeGreaterThan(100_000);
  });

  it("forgets after twenty to thirty seconds", async () => {
    const clock = virtualClock();
    const histogram = new LatencyHistogram(clock);
    histogram.record(5);
    await clock.advance(19_999);
    expect(histogram.quantile(0.5, 1)).toBeDefined();
    await clock.advance(10_001);
    expect(histogram.quantile(0.5, 1)).toBeUndefined();
    histogram.record(5);
    await clock.advance(1_000_000);
    expect(histogram.quantile(0.5, 1)).toBeUndefined();
  });
});
