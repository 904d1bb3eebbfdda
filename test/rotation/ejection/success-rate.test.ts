import { describe, expect, it } from "vitest";
import { successRateOutliers, successRateThreshold } from "../../../src/rotation/ejection/success-rate.ts";

/** Instances 0, 1, 2, … with so many percent of successes of 100 calls. */
const succeeding = (rates: readonly number[], calls = 100) =>
  rates.map((rate, index) => [index, { calls, failures: Math.round((calls * (100 - rate)) / 100) }] as const);

describe("successRateThreshold", () => {
  it("is the mean less 1.9 population standard deviations: Envoy's example", () => {
    expect(successRateThreshold([100, 100, 100, 100, 50], 1.9)).toBeCloseTo(52, 10);
    expect(successRateThreshold([50, 100, 100, 100, 100], 0)).toBe(90);
    expect(successRateThreshold([70, 70, 70], 1.9)).toBe(70);
  });
});

describe("successRateOutliers", () => {
  it("finds the instance below the threshold: of 100, 100, 100, 100 and 50 percent the last", () => {
    expect(successRateOutliers(succeeding([100, 100, 100, 100, 50]))).toEqual([4]);
  });

  it("finds nobody where all are alike, good or bad", () => {
    for (const rate of [100, 50, 0]) expect(successRateOutliers(succeeding(Array(8).fill(rate)))).toEqual([]);
  });

  it("finds nobody where a good share differs: that is no outlier", () => {
    expect(successRateOutliers(succeeding([100, 100, 100, 0, 0]))).toEqual([]);
  });

  it("looks at no instance with fewer calls than minCalls, nor counts it", () => {
    const few = [9, { calls: 99, failures: 99 }] as const;
    expect(successRateOutliers([...succeeding([100, 100, 100, 100]), few])).toEqual([]);
    expect(successRateOutliers([...succeeding([100, 100, 100, 100, 50]), few])).toEqual([4]);
    expect(successRateOutliers([...succeeding([100, 100, 100, 100], 99), few], { minCalls: 99 })).toEqual([9]);
  });

  it("judges nobody among fewer than five: the one bad instance of four is at most 1.73 deviations off", () => {
    expect(successRateOutliers(succeeding([100, 100, 100, 0]))).toEqual([]);
    expect(successRateThreshold([100, 100, 100, 0], 1.9)).toBeLessThan(0);
    expect(successRateOutliers(succeeding([100, 100, 100, 0]), { minInstances: 4, deviations: 1.7 })).toEqual([3]);
  });

  it("lets an instance be that succeeds nearly always, however good the others are", () => {
    expect(successRateOutliers(succeeding([100, 100, 100, 100, 99]))).toEqual([]);
    expect(successRateOutliers(succeeding([100, 100, 100, 100, 95]))).toEqual([]);
    expect(successRateOutliers(succeeding([100, 100, 100, 100, 94]))).toEqual([4]);
  });

  it("finds nobody where nobody is", () => {
    expect(successRateOutliers([])).toEqual([]);
  });
});
