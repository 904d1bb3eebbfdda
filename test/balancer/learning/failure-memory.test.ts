import { describe, expect, it } from "vitest";
import { type FailedAttempt, FailureMemory } from "../../../src/balancer/learning/failure-memory.ts";

const halfLifeMs = 10_000;
const failed = (startedAt: number, more: Partial<FailedAttempt> = {}): FailedAttempt => ({
  badness: 1,
  startedAt,
  isRepeated: true,
  commonRate: 0,
  mostStep: 1,
  picksPerMs: 0.01,
  ...more,
});

/** An instance that answered every 10 ms and then failed `count` times, 100 ms apart, the last time at 0. */
function failing(count: number, more: Partial<FailedAttempt> = {}): FailureMemory {
  const memory = new FailureMemory();
  for (let call = 0; call < 100; call++) memory.succeed(0, -5_000 + call, -5_000 + call, halfLifeMs);
  memory.succeed(0, -100 * count, -100 * count, halfLifeMs);
  for (let call = 1 - count; call <= 0; call++) memory.fail(0, failed(100 * call, more), 100 * call, halfLifeMs);
  return memory;
}

describe("a memory of failures", () => {
  it("is sure after two failures in a row, however many good answers came before", () => {
    expect(failing(1).of(0, 0, halfLifeMs)).toBeLessThan(0.15);
    expect(failing(2).of(0, 0, halfLifeMs)).toBeGreaterThanOrEqual(0.5);
  });

  it("takes two in a row for chance while many attempts fail at whatever instance", () => {
    expect(failing(2, { commonRate: 0.3 }).of(0, 0, halfLifeMs)).toBeLessThan(0.25);
    expect(failing(5, { commonRate: 0.3 }).of(0, 0, halfLifeMs)).toBeGreaterThanOrEqual(0.5);
  });

  it("takes two in a row for chance where so many requests are sent that some such row is to be expected", () => {
    expect(failing(2, { commonRate: 0.05, picksPerMs: 0.002 }).of(0, 0, halfLifeMs)).toBeGreaterThanOrEqual(0.5);
    expect(failing(2, { commonRate: 0.05, picksPerMs: 0.1 }).of(0, 0, halfLifeMs)).toBeLessThan(0.25);
    expect(failing(3, { commonRate: 0.05, picksPerMs: 0.1 }).of(0, 0, halfLifeMs)).toBeGreaterThanOrEqual(0.5);
  });

  it("is moved by a failure after a silence no further than by any other, where failures come by chance", () => {
    const rateAfter = (mostStep: number) => {
      const memory = failing(0);
      memory.fail(0, failed(5_000, { mostStep }), 5_000, halfLifeMs);
      return memory.of(0, 5_000, halfLifeMs);
    };
    expect(rateAfter(1)).toBe(0.5);
    expect(rateAfter(0.1)).toBeCloseTo(0.1);
  });

  it("forgives step by step: three good answers undo failures that were sure", () => {
    const memory = failing(30);
    const rates = [1, 2, 3, 4].map((call) => {
      const rate = memory.of(0, 2_000, halfLifeMs);
      memory.succeed(0, 1_000 + call, 2_000, halfLifeMs);
      return rate;
    });
    expect(rates[0]).toBeGreaterThan(0.7);
    expect(rates[1]).toBeLessThan(0.4);
    expect(rates[3]).toBeLessThan(0.05);
  });

  it("does not take the success of an attempt that began before the last failure for a recovery", () => {
    const memory = failing(5);
    const before = memory.of(0, 1_000, halfLifeMs);
    for (let call = 0; call < 50; call++) memory.succeed(0, -200, 1_000, halfLifeMs);
    expect(memory.of(0, 1_000, halfLifeMs)).toBe(before);
  });

  it("is dropped when all is forgiven, so that ten thousand good instances cost nothing", () => {
    const memory = failing(5);
    expect(memory.isClean).toBe(false);
    for (let call = 0; call < 20; call++) memory.succeed(0, 1, 1_000 + call, halfLifeMs);
    expect(memory.isClean).toBe(true);
    expect(memory.of(memory.worstRoute(2_000, halfLifeMs), 2_000, halfLifeMs)).toBe(0);
  });

  it("keeps routes apart, and expects of a new one the lowest rate of the others", () => {
    const memory = failing(5);
    memory.succeed(1, 0, 0, halfLifeMs);
    expect(memory.of(1, 0, halfLifeMs)).toBe(0);
    expect(memory.of(2, 0, halfLifeMs)).toBe(0);
    memory.fail(1, failed(0), 0, halfLifeMs);
    memory.fail(1, failed(1), 1, halfLifeMs);
    expect(memory.of(2, 1, halfLifeMs)).toBeGreaterThan(0.4);
    expect(memory.tryAt(2, true, 0.1, Number.NaN)).toBeGreaterThan(500);
  });

  it("lets a request that a retry makes up for try a failing instance sooner than one that would be lost", () => {
    const memory = failing(5);
    expect(memory.tryAt(0, true, 0.1, Number.NaN)).toBe(1_000);
    expect(memory.tryAt(0, false, 0.1, Number.NaN)).toBeGreaterThanOrEqual(5_100);
    // A 500 is not repeated, whatever the method.
    expect(failing(5, { isRepeated: false }).tryAt(0, true, 0.1, Number.NaN)).toBeGreaterThanOrEqual(5_100);
  });

  it("waits the longer, the longer the failures have lasted", () => {
    const memory = failing(2);
    memory.fail(0, failed(20_000), 20_000, halfLifeMs);
    expect(memory.tryAt(0, true, 0.1, Number.NaN)).toBeGreaterThan(29_000);
  });

  it("waits longer after a relapse, and not after a second look at the same fault", () => {
    const memory = failing(3);
    const pause = () => memory.tryAt(0, false, 0.01, Number.NaN);
    memory.see(0, true, 0);
    const first = pause();
    memory.see(0, false, 100);
    memory.see(0, true, 200);
    expect(pause()).toBe(first);
    memory.see(0, false, 300);
    memory.see(0, true, 5_000);
    expect(pause()).toBeGreaterThan(2 * first);
  });

  it("may be tried at once on a route without failures", () => {
    expect(new FailureMemory().tryAt(0, true, 0.1, Number.NaN)).toBe(Number.NEGATIVE_INFINITY);
  });
});
