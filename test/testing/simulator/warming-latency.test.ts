import { describe, expect, it } from "vitest";
import { seededRandom, warmingLatency } from "../../../src/testing/index.ts";

/** The latency of the last of so many requests. */
function lastOf(latency: ReturnType<typeof warmingLatency>, count: number, everyMs: number): number {
  if (typeof latency !== "function") throw new Error("it is computed");
  let ms = Number.NaN;
  for (let call = 1; call <= count; call++) ms = latency({ nowMs: call * everyMs, random: seededRandom(call), inFlight: 0 } as never);
  return ms;
}

describe("a warming latency", () => {
  it("is that of a cold server below five requests per second, and of a warm one above", () => {
    expect(lastOf(warmingLatency({ warmMs: 10 }), 100, 500)).toBe(18);
    expect(lastOf(warmingLatency({ warmMs: 10 }), 100, 50)).toBe(10);
    expect(lastOf(warmingLatency({ warmMs: 10, coldFactor: 2, coldBelow: 100 }), 100, 50)).toBe(20);
  });

  it("varies as an exponential one where that is wanted", () => {
    const first = lastOf(warmingLatency({ warmMs: 10, exponential: true }), 1, 1);
    expect(first).not.toBe(18);
    expect(first).toBeGreaterThan(0);
  });
});
