import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PriorityHealth, priorityLoads } from "../../../src/balancer/candidates/priority-load.ts";

/** Priorities of 100 instances each, with the given numbers of available ones. */
const of = (...available: number[]) => available.map((each) => ({ size: 100, available: each }));
const percents = (levels: readonly PriorityHealth[], options = {}) =>
  priorityLoads(levels, options).map(({ share }) => Math.round(100 * share));
const panics = (levels: readonly PriorityHealth[], options = {}) => priorityLoads(levels, options).map(({ isPanic }) => isPanic);

describe("priorityLoads", () => {
  // envoyproxy.io: Priority levels, and Panic threshold.
  it.each<[number[], number[], boolean[]]>([
    [
      [100, 100],
      [100, 0],
      [false, false],
    ],
    [
      [72, 72],
      [100, 0],
      [false, false],
    ],
    [
      [71, 71],
      [99, 1],
      [false, false],
    ],
    [
      [50, 50],
      [70, 30],
      [false, false],
    ],
    [
      [50, 60],
      [70, 30],
      [false, false],
    ],
    [
      [25, 100],
      [35, 65],
      [false, false],
    ],
    [
      [0, 100],
      [0, 100],
      [false, false],
    ],
    [
      [5, 65],
      [7, 93],
      [true, false],
    ],
    [
      [25, 25],
      [50, 50],
      [true, true],
    ],
    [
      [25, 25, 100],
      [35, 35, 30],
      [false, false, false],
    ],
    [
      [25, 25, 20],
      [33, 33, 33],
      [true, true, true],
    ],
  ])("gives priorities with %j percent available %j percent of the load", (available, loads, panic) => {
    expect([percents(of(...available)), panics(of(...available))]).toEqual([loads, panic]);
  });

  it("shares in proportion to health with a panicRatio of 0", () => {
    const shares = percents(of(25, 25, 20), { panicRatio: 0 });
    for (const [index, expected] of [36, 36, 28].entries()) expect(Math.abs((shares[index] as number) - expected)).toBeLessThanOrEqual(1);
    expect(percents(of(0, 1), { panicRatio: 0 })).toEqual([0, 100]);
    expect(percents(of(1, 0), { panicRatio: 0 })).toEqual([100, 0]);
  });

  it("has no panic with a single priority, unless panicRatio says so", () => {
    for (const available of [1, 10, 49, 50, 100]) {
      expect(priorityLoads(of(available))).toEqual([{ share: 1, isPanic: false }]);
      expect(priorityLoads(of(available), { panicRatio: 0.5 })).toEqual([{ share: 1, isPanic: available < 50 }]);
    }
  });

  it("fails over strictly (RFC 2782) with an infinite factor", () => {
    expect(percents(of(1, 100), { overprovisioning: Number.POSITIVE_INFINITY })).toEqual([100, 0]);
    expect(percents(of(0, 1), { overprovisioning: Number.POSITIVE_INFINITY })).toEqual([0, 100]);
  });

  it("begins to overflow with the first missing instance at a factor of 1", () => {
    expect(percents(of(99, 100), { overprovisioning: 1 })).toEqual([99, 1]);
    expect(percents([{ size: 7, available: 5 }, ...of(100)]), "5 of 7 is exactly enough at 1.4").toEqual([100, 0]);
    expect(priorityLoads([{ size: 7, available: 5 }, ...of(100)])[1]?.share).toBe(0);
    // 1.15 has no exact binary form: 114.99… × 20 / 23 is a little below 100.
    expect(priorityLoads([{ size: 23, available: 20 }, ...of(100)], { overprovisioning: 1.15 })[1]?.share).toBe(0);
  });

  it("shares by the numbers of instances when no instance is healthy", () => {
    const levels = [
      { size: 30, available: 0 },
      { size: 10, available: 0 },
    ];
    expect([percents(levels), panics(levels)]).toEqual([
      [75, 25],
      [true, true],
    ]);
    expect(priorityLoads([])).toEqual([]);
  });

  const level = fc.nat(50).chain((size) => fc.nat(size).map((available) => ({ size: size + 1, available })));
  const levels = fc.array(level, { minLength: 1, maxLength: 5 });
  const options = fc.record({
    overprovisioning: fc.constantFrom(1, 1.15, 1.4, 3, Number.POSITIVE_INFINITY),
    panicRatio: fc.constantFrom(0, 0.5, 1),
  });

  it("has shares from 0 that add up to 1, and gives none to a priority without healthy instances", () => {
    fc.assert(
      fc.property(levels, options, (healths, choice) => {
        const loads = priorityLoads(healths, choice);
        expect(loads.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
        for (const [index, { share, isPanic }] of loads.entries()) {
          expect(share).toBeGreaterThanOrEqual(0);
          if (share > 0) expect(isPanic || (healths[index]?.available as number) > 0).toBe(true);
        }
      }),
    );
  });

  it("gives a priority no less when more of its instances are available", () => {
    fc.assert(
      fc.property(levels, fc.nat(), (healths, seed) => {
        const index = seed % healths.length;
        const better = healths.map((each, at) => (at === index ? { ...each, available: Math.min(each.size, each.available + 1) } : each));
        const before = priorityLoads(healths, { panicRatio: 0 });
        const after = priorityLoads(better, { panicRatio: 0 });
        // Without any available instance the shares are those by numbers of instances.
        if (healths.every(({ available }) => available === 0)) return;
        expect(after[index]?.share).toBeGreaterThanOrEqual((before[index]?.share as number) - 1e-9);
      }),
    );
  });
});
