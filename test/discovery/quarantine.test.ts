import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Quarantine } from "../../src/discovery/quarantine.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

const some = ["a"];

describe("Quarantine", () => {
  it("holds an empty answer until three, five seconds apart, agree over thirty seconds", async () => {
    const clock = virtualClock();
    const quarantine = new Quarantine("quarantine", clock);
    const held: boolean[] = [];
    for (const pauseMs of [0, 15_000, 14_999, 1]) {
      await clock.advance(pauseMs);
      held.push(quarantine.holds(some, []));
    }
    expect(held).toEqual([true, true, true, false]);
    expect(quarantine.recheckMs).toBeUndefined();
  });

  it("takes answers closer together than five seconds for one, and thirty seconds of two for too little", async () => {
    const clock = virtualClock();
    const quarantine = new Quarantine("quarantine", clock);
    for (let index = 0; index < 50; index++) {
      expect(quarantine.holds(some, [])).toBe(true);
      await clock.advance(1);
    }
    await clock.advance(40_000);
    expect(quarantine.holds(some, [])).toBe(true);
    await clock.advance(4_999);
    expect(quarantine.holds(some, [])).toBe(true);
    await clock.advance(1);
    expect(quarantine.holds(some, [])).toBe(false);
  });

  it("begins again after an answer that is not empty", async () => {
    const clock = virtualClock();
    const quarantine = new Quarantine("quarantine", clock);
    for (let index = 0; index < 3; index++) {
      quarantine.holds(some, []);
      await clock.advance(10_000);
    }
    expect(quarantine.holds(some, some)).toBe(false);
    expect(quarantine.recheckMs).toBeUndefined();
    expect(quarantine.holds(some, [])).toBe(true);
    await clock.advance(20_000);
    expect(quarantine.holds(some, [])).toBe(true);
  });

  it("does not hold an empty answer where nothing is in use, nor under trust", () => {
    const clock = virtualClock();
    expect(new Quarantine("quarantine", clock).holds([], [])).toBe(false);
    const trusting = new Quarantine("trust", clock);
    expect(trusting.holds(some, [])).toBe(false);
    expect(trusting.recheckMs).toBeUndefined();
  });

  it("wants the next answer in ten seconds, as long as it holds one", () => {
    const quarantine = new Quarantine("quarantine", virtualClock());
    expect(quarantine.recheckMs).toBeUndefined();
    quarantine.holds(some, []);
    expect(quarantine.recheckMs).toBe(10_000);
  });

  it("lets an empty answer through only after three in a row over thirty seconds, whatever comes", async () => {
    const step = fc.record({ pauseMs: fc.oneof(fc.nat(2_000), fc.nat(40_000)), isEmpty: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = virtualClock();
        const quarantine = new Quarantine("quarantine", clock);
        let emptySince: number[] = [];
        for (const { pauseMs, isEmpty } of steps) {
          await clock.advance(pauseMs);
          emptySince = isEmpty ? [...emptySince, clock.now()] : [];
          if (quarantine.holds(some, isEmpty ? [] : some) || !isEmpty) continue;
          expect(emptySince.length).toBeGreaterThanOrEqual(3);
          expect(clock.now() - (emptySince[0] as number)).toBeGreaterThanOrEqual(30_000);
          emptySince = [];
        }
      }),
      { numRuns: 60 },
    );
  });
});
