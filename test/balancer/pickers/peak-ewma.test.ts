import { describe, expect, it } from "vitest";
import { PeakEwma } from "../../../src/balancer/learning/ewma.ts";
import { statisticsOf } from "../../../src/core/upstream.ts";
import { localResponse } from "../../../src/extend.ts";
import { peakEwma } from "../../../src/index.ts";
import { pickerContract, seededRandom, testRequest, testUpstream } from "../../../src/testing/index.ts";
import { failing, healthy, manualClock, play, shareOf } from "../scenario.ts";

describe("PeakEwma", () => {
  it("decays as Tower's does", () => {
    const average = new PeakEwma();
    average.observe(10, 0, 1_000);
    expect(average.read(0, 1_000)).toBe(10);
    expect(average.read(100, 1_000)).toBeCloseTo(9.048, 3);
    expect(average.read(200, 1_000)).toBeCloseTo(8.187, 3);
  });

  it("rises at once and falls with the time constant", () => {
    const average = new PeakEwma();
    average.observe(10, 0, 1_000);
    average.observe(200, 100, 1_000);
    expect(average.read(100, 1_000)).toBe(200);
    average.observe(50, 1_100, 1_000);
    expect(average.read(1_100, 1_000)).toBeCloseTo(50 + 150 * Math.exp(-1));
    average.observe(10, 1_100, 1_000, 0.5);
    expect(average.read(1_100, 1_000)).toBeCloseTo(10 + (40 + 150 * Math.exp(-1)) / 2);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])("ignores %s", (value) => {
    const average = new PeakEwma();
    average.observe(value, 0, 1_000);
    expect([average.known, average.read(0, 1_000)]).toEqual([false, 0]);
    average.observe(5, 10, 1_000);
    average.observe(value, 10, 1_000);
    expect(average.read(10, 1_000)).toBe(5);
  });

  it("does not grow when the clock goes back", () => {
    const average = new PeakEwma();
    average.observe(10, 1_000, 100);
    expect(average.read(0, 100)).toBe(10);
    average.observe(5, 0, 100);
    expect(average.read(1_000, 100)).toBe(10);
  });
});

describe("peakEwma", () => {
  for (const test of pickerContract((options) => peakEwma(options))) it(test.name, test.run);
  for (const test of pickerContract((options) => peakEwma({ choices: "all", ...options }))) it(`${test.name}, among all`, test.run);

  it("picks by latency × (requests in flight + 1)", () => {
    const clock = manualClock();
    const picker = peakEwma({ clock, choices: "all", random: seededRandom(1) });
    const upstreams = [testUpstream({ host: "10.0.0.1" }), testUpstream({ host: "10.0.0.2" })];
    const [slow, fast] = upstreams;
    picker.update?.(upstreams);
    for (const [upstream, ms] of [
      [slow, 40],
      [fast, 10],
    ] as const) {
      const learner = picker.onAttempt?.(upstream as (typeof upstreams)[0], testRequest());
      clock.time += ms;
      learner?.onHead(localResponse(200));
      // The time of the body is not part of the latency.
      clock.time += 1;
      learner?.onEnd(undefined);
    }
    expect(picker.pick(upstreams, testRequest())).toBe(fast);
    statisticsOf(fast as (typeof upstreams)[0]).inFlight = 2;
    expect(picker.pick(upstreams, testRequest())).toBe(fast);
    statisticsOf(fast as (typeof upstreams)[0]).inFlight = 4;
    expect(picker.pick(upstreams, testRequest())).toBe(slow);
  });

  it("tries an unknown instance with one request until that is answered", () => {
    const picker = peakEwma({ clock: manualClock(), choices: "all", random: seededRandom(1) });
    const upstreams = [testUpstream({ host: "10.0.0.1" }), testUpstream({ host: "10.0.0.2" })];
    picker.update?.(upstreams);
    const first = picker.pick(upstreams, testRequest()) as (typeof upstreams)[0];
    statisticsOf(first).inFlight++;
    for (let call = 0; call < 50; call++) expect(picker.pick(upstreams, testRequest())).not.toBe(first);
  });

  it("gives an instance that is 50 times slower less than 3 % after some seconds", () => {
    const fast = healthy(10);
    for (const rate of [5, 100, 1_000]) {
      const served = play({ instances: [healthy(500), fast, fast, fast, fast], create: (options) => peakEwma(options), rate, seconds: 30 });
      expect(shareOf(served, 0, 5)).toBeLessThan(0.03);
    }
  });

  it("prefers an instance that fails fast, as its page warns", () => {
    const fast = healthy(10);
    const served = play({ instances: [failing(503), fast, fast, fast, fast], create: (options) => peakEwma(options), seconds: 30 });
    expect(shareOf(served, 0, 5)).toBeGreaterThan(0.3);
  });

  it("uses the mesh's clock unless it has its own", () => {
    const clock = manualClock();
    const picker = peakEwma({ choices: "all" }).forService?.("orders", { clock, random: seededRandom(1) });
    const upstreams = [testUpstream({ host: "10.0.0.1" }), testUpstream({ host: "10.0.0.2" })];
    picker?.update?.(upstreams);
    for (const [index, upstream] of upstreams.entries()) {
      const learner = picker?.onAttempt?.(upstream, testRequest());
      clock.time += 10 * (1 + index);
      learner?.onEnd(new Error("reset"));
    }
    for (let call = 0; call < 10; call++) expect(picker?.pick(upstreams, testRequest())).toBe(upstreams[0]);
  });

  it.each([
    [{ decayMs: 0 }, "peakEwma: decayMs must be at least 1, not 0"],
    [{ decayMs: "10s" }, 'peakEwma: decayMs must be a number, not "10s"'],
    [{ choices: 0 }, "peakEwma: choices must be at least 2, not 0"],
    [{ clock: 5 }, "peakEwma: clock must be an object"],
    [{ decay: 5 }, 'peakEwma has no option "decay"'],
  ])("refuses %j", (options, message) => {
    expect(() => peakEwma(options as object)).toThrow(message);
  });

  it("gives the heavier of two equally fast instances more requests in flight in proportion to its weight", () => {
    const clock = manualClock();
    const picker = peakEwma({ clock, choices: "all", random: seededRandom(2) });
    const upstreams = [testUpstream({ host: "10.0.0.1", weight: 1 }), testUpstream({ host: "10.0.0.2", weight: 4 })];
    picker.update?.(upstreams);
    for (const upstream of upstreams) {
      const learner = picker.onAttempt?.(upstream, testRequest());
      clock.time += 10;
      learner?.onHead(localResponse(200));
    }
    for (let call = 0; call < 500; call++) statisticsOf(picker.pick(upstreams, testRequest()) as (typeof upstreams)[0]).inFlight++;
    const [light, heavy] = upstreams.map(({ inFlight }) => inFlight) as [number, number];
    expect(Math.abs(heavy / light - 4)).toBeLessThan(0.2);
  });

  it("explains the cost of an instance, by its weight", () => {
    const clock = manualClock();
    const picker = peakEwma({ clock });
    const upstream = testUpstream({ weight: 4 });
    expect(picker.explain?.(upstream)).toEqual({ cost: 0, latencyMs: 0 });
    const learner = picker.onAttempt?.(upstream, testRequest());
    clock.time += 10;
    learner?.onHead(localResponse(200));
    statisticsOf(upstream).inFlight = 1;
    expect(picker.explain?.(upstream)).toEqual({ cost: 5, latencyMs: 10 });
  });
});
