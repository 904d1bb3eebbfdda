import { describe, expect, it } from "vitest";
import { aimd } from "../../../src/policies/concurrency/aimd.ts";
import { gradient2 } from "../../../src/policies/concurrency/gradient2.ts";
import type { ConcurrencyLimit } from "../../../src/policies/concurrency/limit-algorithm.ts";

const ok = (ms: number, inFlight: number) => ({ ms, inFlight, dropped: false });
const dropped = { ms: 1, inFlight: 1, dropped: true };

function values(limit: ConcurrencyLimit, samples: readonly Parameters<ConcurrencyLimit["learn"]>[0][]): number[] {
  return samples.map((sample) => {
    limit.learn(sample);
    return limit.value;
  });
}

describe("aimd", () => {
  it("has Netflix's sequence: 20 to 21 with half of it in use, 30 to 27 when one is dropped", () => {
    expect(values(aimd().begin(), [ok(1, 10)])).toEqual([21]);
    expect(values(aimd({ initial: 30 }).begin(), [dropped])).toEqual([27]);
  });

  it("does not grow while less than half of it is in use, and takes a slow attempt for a dropped one", () => {
    expect(values(aimd({ initial: 100 }).begin(), [ok(1, 49), ok(5_000, 60), ok(5_001, 60)])).toEqual([100, 101, 90]);
  });

  it("stays between its bounds", () => {
    expect(values(aimd({ initial: 20 }).begin(), Array(5).fill(dropped))).toEqual(Array(5).fill(20));
    expect(values(aimd({ initial: 200 }).begin(), [ok(1, 200)])).toEqual([200]);
  });

  it("keeps services apart", () => {
    const algorithm = aimd();
    const [one, other] = [algorithm.begin(), algorithm.begin()];
    one.learn(ok(1, 20));
    expect([one.value, other.value]).toEqual([21, 20]);
  });

  it.each([
    [{ min: 0 }, "aimd: min must be at least 1, not 0"],
    [{ min: 5, max: 4 }, "aimd: max must be at least 5, not 4"],
    [{ backoffRatio: 1 }, "aimd: backoffRatio must be from 0.5 to 0.999, not 1"],
    [{ initial: Number.NaN }, "aimd: initial must be a number, not NaN"],
    [{ limit: 5 }, "limit"],
  ])("refuses %j", (options, message) => {
    expect(() => aimd(options as object)).toThrow(message);
  });
});

describe("gradient2", () => {
  it("goes a fifth of the way to limit + 4 while latency stays what it is", () => {
    const limit = gradient2().begin();
    // 20 × 0.8 + 0.2 × 24 = 20.8, then 21.6, …
    expect(values(limit, Array(5).fill(ok(100, 20)))).toEqual([20, 21, 22, 23, 24]);
  });

  it("keeps the limit while less than half of it is in use", () => {
    expect(values(gradient2({ initial: 100 }).begin(), Array(50).fill(ok(100, 49))).at(-1)).toBe(100);
  });

  it("goes down when attempts take more than one and a half times as long as in the long run, to no less than half in one step", () => {
    const limit = gradient2({ initial: 100 }).begin();
    for (let count = 0; count < 600; count++) limit.learn(ok(100, 1));
    // Long run about 100 ms, this one 300: gradient max(0.5, 1.5 × 100.67 / 300) ≈ 0.503, 100 × 0.8 + 0.2 × (50.3 + 4) = 90.87.
    limit.learn(ok(300, 100));
    expect(limit.value).toBe(90);
    limit.learn(ok(100_000, 100));
    expect(limit.value).toBe(Math.floor(90.867 * 0.8 + 0.2 * (90.867 * 0.5 + 4)));
  });

  it("comes back once latency is low again, also when the long run had become slow", () => {
    const limit = gradient2({ initial: 100 }).begin();
    for (let count = 0; count < 2_000; count++) limit.learn(ok(1_000, 100));
    for (let count = 0; count < 400; count++) limit.learn(ok(10, 100));
    expect(limit.value).toBe(200);
    // The long run has followed: what was normal in the overload is slow now.
    for (let count = 0; count < 20; count++) limit.learn(ok(1_000, 200));
    expect(limit.value).toBeLessThan(60);
  });

  it("takes a tenth for a dropped attempt, however fast it failed", () => {
    expect(values(gradient2({ initial: 100 }).begin(), [dropped, dropped])).toEqual([90, 81]);
  });

  it("does not fail on a latency of zero", () => {
    const limit = gradient2().begin();
    for (let count = 0; count < 100; count++) limit.learn(ok(0, 20));
    expect(limit.value).toBeGreaterThan(20);
  });

  it.each([
    [{ tolerance: 0.5 }, "gradient2: tolerance must be from 1 to 1000, not 0.5"],
    [{ smoothing: 0 }, "gradient2: smoothing must be from 0.001 to 1, not 0"],
    [{ initial: 5 }, "gradient2: initial must be from 20 to 200, not 5"],
  ])("refuses %j", (options, message) => {
    expect(() => gradient2(options as object)).toThrow(message);
  });
});
