import { describe, expect, it } from "vitest";
import { FailureShare } from "../../../src/balancer/learning/failure-share.ts";
import { seededRandom } from "../../../src/testing/index.ts";

/** Instances that fail with these chances, called in turn. */
function sharesOf(chances: readonly number[], attempts: number): FailureShare {
  const random = seededRandom(3);
  const common = new FailureShare();
  const before = chances.map(() => false);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const at = attempt % chances.length;
    const hasFailed = random() < (chances[at] ?? 0);
    common.observe(hasFailed, before[at] === true);
    before[at] = hasFailed;
  }
  return common;
}

describe("FailureShare", () => {
  it("has the rate of single failures in the last hundred attempts, and 0 again after many good ones", () => {
    const common = new FailureShare();
    for (let attempt = 0; attempt < 1_000; attempt++) common.observe(attempt % 4 === 0, false);
    expect(Math.abs(common.rate - 0.25)).toBeLessThan(0.03);
    for (let attempt = 0; attempt < 2_000; attempt++) common.observe(false, false);
    expect(common.rate).toBe(0);
    expect(common.byChance).toBe(0);
  });

  it("tells failures that come by chance at whatever instance", () => {
    expect(sharesOf(Array(10).fill(0.1), 3_000).byChance).toBeGreaterThan(0.9);
  });

  it("tells failures of an instance that fails whenever it is called", () => {
    expect(sharesOf([1, 0, 0, 0, 0, 0, 0, 0, 0, 0], 3_000).byChance).toBe(0);
    expect(sharesOf([0.9, 0.9, 0.9, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01], 3_000).byChance).toBeLessThan(0.5);
  });

  it("takes failures for the instance's own until it knows better", () => {
    const common = new FailureShare();
    for (let attempt = 0; attempt < 10; attempt++) common.observe(true, false);
    expect(common.byChance).toBe(0);
  });
});
