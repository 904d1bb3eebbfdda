import { describe, expect, it } from "vitest";
import { Patience } from "../../src/attempts/patience.ts";

const limits = { attemptTimeoutMs: 2_000, timeoutMs: 10_000, bodyIdleTimeoutMs: 30_000 } as const;

describe("patience with an instance", () => {
  it("ends with nearly the whole limit of an attempt, while nothing else is known", () => {
    const patience = new Patience(limits);
    expect([1_799, 1_800].map((ms) => patience.isEnough(ms, false))).toEqual([false, true]);
  });

  it.each([
    [{ ...limits, timeoutMs: 300 }, false, 270],
    [{ ...limits, attemptTimeoutMs: false as const }, false, 9_000],
    [{ attemptTimeoutMs: false as const, timeoutMs: false as const, bodyIdleTimeoutMs: false as const }, false, 9_000],
    [{ ...limits, bodyIdleTimeoutMs: 500 }, true, 450],
    [{ ...limits, bodyIdleTimeoutMs: 500 }, false, 1_800],
    [{ ...limits, bodyIdleTimeoutMs: false as const }, true, 1_800],
  ])("by %o, in a body: %s, ends after %i ms", (given, inBody, enough) => {
    const patience = new Patience(given);
    expect([enough - 1, enough].map((ms) => patience.isEnough(ms, inBody))).toEqual([false, true]);
  });

  it("ends after a quarter of the limit where that is twice the slowest answer", () => {
    const patience = new Patience(limits);
    patience.learn(20, 0);
    patience.learn(10, 1);
    expect([499, 500].map((ms) => patience.isEnough(ms, false))).toEqual([false, true]);
    patience.learn(600, 2);
    expect([1_199, 1_200].map((ms) => patience.isEnough(ms, false))).toEqual([false, true]);
  });

  it("forgets a slow answer after half a minute to a minute", () => {
    const patience = new Patience(limits);
    patience.learn(600, 0);
    patience.learn(1, 30_000);
    expect(patience.isEnough(500, false)).toBe(false);
    patience.learn(1, 60_000);
    expect(patience.isEnough(500, false)).toBe(true);
    patience.learn(600, 60_001);
    patience.learn(1, 150_000);
    expect(patience.isEnough(500, false)).toBe(true);
  });
});
