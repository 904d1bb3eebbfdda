import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { negativeTtl, refreshDelayMs } from "../../../src/discovery/dns/schedule.ts";

const bounds = { minTtlMs: 1_000, maxTtlMs: 300_000 };

describe("refreshDelayMs", () => {
  it("waits for 0.9 to 1.0 of the TTL", () => {
    expect(refreshDelayMs(60, 0, bounds)).toBe(54_000);
    expect(refreshDelayMs(60, 1, bounds)).toBe(60_000);
  });

  it("makes one second of TTL 0 and spreads five minutes for TTL 2^31 and beyond", () => {
    expect(refreshDelayMs(0, 0, bounds)).toBe(1_000);
    expect(refreshDelayMs(1, 0, bounds)).toBe(1_000);
    for (const ttlS of [2 ** 31, 2 ** 32 - 1, Number.POSITIVE_INFINITY]) {
      expect(refreshDelayMs(ttlS, 0, bounds)).toBe(270_000);
      expect(refreshDelayMs(ttlS, 1, bounds)).toBe(300_000);
    }
  });

  it("stays within its bounds for every TTL", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.double({ min: 0, max: 1, noNaN: true }), (ttlS, random) => {
        const delay = refreshDelayMs(ttlS, random, bounds);
        expect(delay).toBeGreaterThanOrEqual(bounds.minTtlMs);
        expect(delay).toBeLessThanOrEqual(Math.max(bounds.minTtlMs, Math.min(ttlS * 1000, bounds.maxTtlMs)));
      }),
    );
  });
});

describe("negativeTtl", () => {
  it("is what the SOA says, at most 5 seconds, and 5 without one", () => {
    expect([negativeTtl(undefined), negativeTtl(0), negativeTtl(3), negativeTtl(3_600)]).toEqual([5, 0, 3, 5]);
  });
});
