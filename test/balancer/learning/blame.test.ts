import { describe, expect, it } from "vitest";
import { blameFor } from "../../../src/balancer/learning/blame.ts";

const own = { outcomes: 6, byChance: 0 };
const chance = { outcomes: 6, byChance: 1 };

describe("blameFor", () => {
  it("blames an instance for failing more than the others", () => {
    expect(blameFor(0.3, { sum: 0.3, count: 10, ...own }, false)).toBeCloseTo(0.28, 5);
    expect(blameFor(0.02, { sum: 0.02, count: 10, ...own }, false)).toBe(0);
    expect(blameFor(0.5, { sum: 5, count: 10, ...own }, false)).toBeLessThan(0.15);
  });

  it("blames none of a few outcomes where failures come by chance", () => {
    const rates = { sum: 1.4, count: 10 };
    expect(blameFor(0.5, { ...rates, ...own }, false)).toBeGreaterThan(0.2);
    expect(blameFor(0.5, { ...rates, ...chance }, false)).toBe(0);
  });

  it("blames one that does nothing but fail, also where others fail by chance", () => {
    expect(blameFor(0.5, { sum: 1.4, count: 10, ...chance }, true)).toBeGreaterThan(0.3);
  });

  it("explains less by chance, the more outcomes there are", () => {
    const blames = [3, 20, 200].map((outcomes) => blameFor(0.5, { sum: 1.4, count: 10, outcomes, byChance: 1 }, false));
    expect(blames.toSorted((one, other) => one - other)).toEqual(blames);
    expect(blames.at(-1)).toBeGreaterThan(0.2);
  });
});
