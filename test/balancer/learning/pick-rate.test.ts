import { describe, expect, it } from "vitest";
import { PickRate } from "../../../src/balancer/learning/pick-rate.ts";

describe("the rate of picks", () => {
  it("follows the picks of the last seconds", () => {
    const rate = new PickRate();
    for (let pick = 0; pick < 640; pick++) rate.count(pick * 2);
    expect(rate.perMs).toBeGreaterThan(0.45);
    expect(rate.perMs).toBeLessThan(0.55);
  });

  it("is measured from the fourth pick on, and not taken for an assumed one until then", () => {
    const rate = new PickRate();
    for (let pick = 0; pick < 5; pick++) rate.count(pick * 1_000);
    expect(rate.perMs).toBeCloseTo(0.001, 9);
  });

  it("stays a number with any clock", () => {
    const rate = new PickRate();
    for (const now of [0, Number.NaN, Number.POSITIVE_INFINITY, -1, 5]) for (let pick = 0; pick < 100; pick++) rate.count(now);
    expect(rate.perMs).toBeGreaterThan(0);
    expect(rate.perMs).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});
