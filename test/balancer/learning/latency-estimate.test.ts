import { describe, expect, it } from "vitest";
import { LatencyEstimate } from "../../../src/balancer/learning/latency-estimate.ts";
import { seededRandom } from "../../../src/testing/index.ts";

const memoryMs = 30_000;
const random = seededRandom(1);
const around = (meanMs: number) => -meanMs * Math.log(1 - random());

function observed(count: number, meanMs: number, everyMs = 10): { readonly estimate: LatencyEstimate; readonly now: number } {
  const estimate = new LatencyEstimate();
  for (let call = 1; call <= count; call++) estimate.observe(around(meanMs), call * everyMs, memoryMs);
  return { estimate, now: count * everyMs };
}

describe("an estimate of latency", () => {
  it("is unknown until the first response, and then as uncertain as one exponential latency", () => {
    const estimate = new LatencyEstimate();
    expect(estimate.known).toBe(false);
    estimate.observe(10, 0, memoryMs);
    expect([estimate.known, estimate.meanMs, estimate.deviationMs, estimate.varianceOfMean]).toEqual([true, 10, 10, 100]);
  });

  it("ignores what is no latency", () => {
    const estimate = new LatencyEstimate();
    for (const latency of [Number.NaN, -1, Number.POSITIVE_INFINITY]) estimate.observe(latency, 0, memoryMs);
    expect(estimate.known).toBe(false);
  });

  it("knows the mean the better, the more responses it has seen", () => {
    const few = observed(10, 20).estimate;
    const many = observed(400, 20).estimate;
    expect(Math.abs(many.meanMs - 20)).toBeLessThan(3);
    expect(many.varianceOfMean).toBeLessThan(few.varianceOfMean / 5);
  });

  it("becomes uncertain again with the time in which no response comes", () => {
    const { estimate, now } = observed(400, 20);
    const before = estimate.varianceOfMean;
    estimate.observe(20, now + 3 * memoryMs, memoryMs);
    expect(estimate.varianceOfMean).toBeGreaterThan(8 * before);
  });

  for (const [before, after] of [
    [10, 40],
    [40, 10],
  ] as const) {
    it(`forgets latencies of ${before} ms once chance does not explain the new ones of ${after} ms`, () => {
      const { estimate, now } = observed(400, before);
      for (let call = 1; call <= 100; call++) estimate.observe(around(after), now + call * 10, memoryMs);
      expect(estimate.meanMs / after).toBeGreaterThan(0.65);
      expect(estimate.meanMs / after).toBeLessThan(1.5);
    });
  }

  it("takes one pause for no change", () => {
    const { estimate, now } = observed(400, 10);
    const before = estimate.meanMs;
    estimate.observe(3_000, now + 10, memoryMs);
    expect(estimate.meanMs).toBeLessThan(1.1 * before);
  });

  it("takes a wait for suspicious only when it is far beyond what has been seen", () => {
    expect(observed(3, 10).estimate.suspectMs).toBe(Number.POSITIVE_INFINITY);
    const { suspectMs } = observed(400, 10).estimate;
    expect(suspectMs).toBeGreaterThan(70);
    expect(suspectMs).toBeLessThan(160);
  });

  it("begins anew after three fast responses of an instance that is avoided for being slow", () => {
    const { estimate, now } = observed(40, 300, 100);
    for (let call = 1; call <= 2; call++) estimate.observe(10, now + call * 5_000, memoryMs, 0, true);
    expect(estimate.meanMs).toBeGreaterThan(100);
    expect(estimate.lowRun).toBe(2);
    estimate.observe(10, now + 15_000, memoryMs, 0, true);
    expect([estimate.meanMs, estimate.lowRun]).toEqual([10, 0]);
  });

  it("remembers fifty responses of an instance that is called once in ten seconds", () => {
    const [remembered, forgotten] = [new LatencyEstimate(), new LatencyEstimate()];
    for (let call = 1; call <= 50; call++) {
      const latency = around(20);
      remembered.observe(latency, call * 10_000, memoryMs, 10_000);
      forgotten.observe(latency, call * 10_000, memoryMs);
    }
    expect(remembered.samples).toBeGreaterThan(25);
    expect(forgotten.samples).toBeLessThan(5);
  });

  it("notices a change of an instance that is called once in ten seconds", () => {
    const estimate = new LatencyEstimate();
    for (let call = 1; call <= 40; call++) estimate.observe(call <= 20 ? 20 : 80, call * 10_000, memoryMs, 10_000);
    expect(estimate.meanMs).toBeGreaterThan(50);
  });
});
