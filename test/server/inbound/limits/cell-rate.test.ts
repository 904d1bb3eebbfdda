import fc from "fast-check";
import { expect, test } from "vitest";
import { CellRate } from "../../../../src/server/inbound/limits/cell-rate.ts";

test("a key gets its burst at once, then its rate, and after a pause the burst again", () => {
  const rate = new CellRate({ perSecond: 10, burst: 3, maxKeys: 10 });
  expect([0, 0, 0, 0, 0].map((at) => rate.take("a", at))).toEqual([0, 0, 0, 100, 100]);
  expect(rate.take("a", 99)).toBeCloseTo(1);
  expect(rate.take("a", 100)).toBe(0);
  expect(rate.take("a", 101)).toBeCloseTo(99);
  expect([10_000, 10_000, 10_000, 10_000].map((at) => rate.take("a", at))).toEqual([0, 0, 0, 100]);
});

test("keys do not count for each other", () => {
  const rate = new CellRate({ perSecond: 1, burst: 1, maxKeys: 10 });
  expect([rate.take("a", 0), rate.take("b", 0), rate.take("a", 0)]).toEqual([0, 0, 1_000]);
});

test("a clock that goes back locks no key out", () => {
  const rate = new CellRate({ perSecond: 1, burst: 2, maxKeys: 10 });
  rate.take("a", 1_000_000);
  rate.take("a", 1_000_000);
  expect(rate.take("a", 0)).toBeLessThanOrEqual(2_000);
});

test("never more keys are kept than were asked for, and a key that goes on is not forgotten for others", () => {
  const rate = new CellRate({ perSecond: 1, burst: 1, maxKeys: 100 });
  expect(rate.take("busy", 0)).toBe(0);
  for (let index = 0; index < 10_000; index++) {
    rate.take(`other ${index}`, 0);
    expect(rate.take("busy", 0)).toBeGreaterThan(0);
    expect(rate.size).toBeLessThanOrEqual(101);
  }
});

test("within any second no more than the burst and the rate pass", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 300 }),
      (perSecond, burst, gaps) => {
        const rate = new CellRate({ perSecond, burst, maxKeys: 10 });
        const passed: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          if (rate.take("a", now) === 0) passed.push(now);
        }
        for (const start of passed)
          expect(passed.filter((at) => at >= start && at < start + 1_000).length).toBeLessThanOrEqual(burst + perSecond);
      },
    ),
    { numRuns: 100 },
  );
});
