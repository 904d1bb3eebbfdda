import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { longPause, safePause, slowFailurePause, slowPause, unsafePause } from "../../../src/balancer/learning/try-pauses.ts";

const trouble = { sureness: 1, lastedMs: 0, relapses: 0 };

describe("pauses before a try", () => {
  it("are short for a failure that may have been chance", () => {
    expect(safePause({ ...trouble, sureness: 0.03 })).toBe(50);
    expect(unsafePause({ ...trouble, sureness: 0.03 }, 0.1)).toBeLessThan(400);
  });

  it("are longer for a client with few requests, which one lost request costs more", () => {
    expect(unsafePause(trouble, 1)).toBe(5_100);
    expect(unsafePause(trouble, 0.01)).toBe(10_200);
  });

  it("grow with a relapse, the less the longer ago it was", () => {
    expect([0, 0.5, 1, 2, 5].map(longPause)).toEqual([10_200, 30_600, 91_800, 91_800, 91_800]);
  });

  it("after slow failures end no sooner than the long pause after the first sign of trouble", () => {
    expect(slowFailurePause(trouble, 0)).toBe(10_200);
    expect(slowFailurePause(trouble, 4_000)).toBe(6_200);
    expect(slowFailurePause(trouble, 9_000)).toBe(5_100);
    expect(slowFailurePause({ ...trouble, lastedMs: 20_000 }, 20_000)).toBe(20_000);
  });

  it("never shrink when the trouble lasts longer, is surer, or comes again", () => {
    const some = fc.record({
      sureness: fc.double({ min: 0, max: 1, noNaN: true }),
      lastedMs: fc.integer({ min: 0, max: 1e6 }),
      relapses: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 1e5 }), (less, moreMs) => {
        const more = { sureness: Math.min(1, less.sureness + 0.1), lastedMs: less.lastedMs + moreMs, relapses: less.relapses + 1 };
        expect(safePause(more)).toBeGreaterThanOrEqual(safePause(less));
        expect(unsafePause(more, 0.1)).toBeGreaterThanOrEqual(unsafePause(less, 0.1));
        expect(slowFailurePause(more, 0)).toBeGreaterThanOrEqual(slowFailurePause(less, 0));
        for (const isSafe of [true, false]) expect(slowPause(more, isSafe, 10)).toBeGreaterThanOrEqual(slowPause(less, isSafe, 10));
      }),
    );
  });
});
