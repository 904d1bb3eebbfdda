import { describe, expect, it } from "vitest";
import { fullJitter } from "../../src/core/full-jitter.ts";

describe("a pause with full jitter", () => {
  it("is anything up to a bound that doubles with each failure, up to its cap", () => {
    const bounds = { baseMs: 100, capMs: 1_000 };
    expect([0, 1, 2, 3, 4, 5_000].map((failures) => fullJitter(() => 1, failures, bounds))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(fullJitter(() => 0, 3, bounds)).toBe(0);
    expect(fullJitter(() => 0.5, 3, bounds)).toBe(400);
  });

  it("stays a number where its cap is none", () => {
    expect(fullJitter(() => 1, 5_000, { baseMs: 1, capMs: Number.POSITIVE_INFINITY })).toBe(2 ** 20);
  });
});
