import { describe, expect, it } from "vitest";
import { failurePercentageOutliers } from "../../../src/rotation/ejection/failure-percentage.ts";

/** Instances 0, 1, 2, … with so many percent of failures of 100 calls. */
const failing = (percentages: readonly number[], calls = 100) =>
  percentages.map((failures, index) => [index, { calls, failures: (calls * failures) / 100 }] as const);

describe("failurePercentageOutliers", () => {
  it("finds who fails in 85 percent or more of fifty calls or more", () => {
    expect(failurePercentageOutliers(failing([0, 0, 0, 84, 85]))).toEqual([4]);
    expect(failurePercentageOutliers(failing([0, 0, 0, 0, 100], 50))).toEqual([4]);
    expect(failurePercentageOutliers(failing([0, 0, 0, 0, 100], 40))).toEqual([]);
  });

  it("finds several that are broken in the same way", () => {
    expect(failurePercentageOutliers(failing([0, 100, 100, 100, 0]))).toEqual([1, 2, 3]);
  });

  it("finds nobody where the others are not much better: a request that nobody can serve costs no instance", () => {
    expect(failurePercentageOutliers(failing([90, 90, 90, 90, 90, 90]))).toEqual([]);
    expect(failurePercentageOutliers(failing([50, 50, 100]))).toEqual([]);
    expect(failurePercentageOutliers(failing([40, 40, 100]))).toEqual([2]);
  });

  it("judges two, three and four instances by that comparison, and one by nothing", () => {
    expect(failurePercentageOutliers(failing([100, 0]))).toEqual([0]);
    expect(failurePercentageOutliers(failing([100, 0, 0, 0]))).toEqual([0]);
    expect(failurePercentageOutliers(failing([100]))).toEqual([]);
  });

  it("takes instances with too few calls for nobody to compare with", () => {
    expect(failurePercentageOutliers([...failing([100]), [1, { calls: 49, failures: 0 }]])).toEqual([]);
  });

  it("takes the threshold, the calls and the instances from the options", () => {
    expect(failurePercentageOutliers(failing([0, 0, 60]), { threshold: 60 })).toEqual([2]);
    expect(failurePercentageOutliers(failing([0, 100], 10), { minCalls: 10 })).toEqual([1]);
    expect(failurePercentageOutliers(failing([0, 0, 0, 100]), { minInstances: 5 })).toEqual([]);
  });
});
