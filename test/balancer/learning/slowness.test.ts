import { describe, expect, it } from "vitest";
import { Slowness } from "../../../src/balancer/learning/slowness.ts";

describe("slowness", () => {
  it("counts a small difference after three seconds, and puts it to the test less and less often", () => {
    const slowness = new Slowness();
    const isMild = (second: number) => slowness.isMild(1_000 * second);
    expect([0, 2.9].map(isMild)).toEqual([false, false]);
    expect([3, 5.9].map(isMild)).toEqual([true, true]);
    // The first trial, of two seconds.
    expect([6, 7.9].map(isMild)).toEqual([false, false]);
    slowness.isMild(8_000);
    const spans: boolean[] = [];
    for (let second = 8.5; second < 200; second += 0.5) spans.push(isMild(second));
    const trials = spans.filter((each) => !each).length / 2;
    expect(trials).toBeGreaterThan(5);
    expect(trials).toBeLessThan(25);
    slowness.endMild();
    expect(isMild(200)).toBe(false);
  });

  it("lets safe requests try an avoided instance after a second, and later as the slowness lasts", () => {
    const slowness = new Slowness();
    slowness.see(true, 0, 100);
    expect(slowness.tryAt(true, 0, 100)).toBe(1_000);
    expect(slowness.tryAt(true, 10_000, 100)).toBe(14_000);
    expect(slowness.tryAt(true, 1_000_000, 100)).toBe(1_020_000);
  });

  it("lets requests that are not safe try it by the number of requests that one slow answer is risked for", () => {
    const slowness = new Slowness();
    slowness.see(true, 0, 20);
    expect(slowness.tryAt(false, 0, 20)).toBe(4_000);
    expect(slowness.tryAt(false, 0, 1_000)).toBe(10_200);
  });

  it("waits longer after each time that it was suspected anew", () => {
    const slowness = new Slowness();
    const pauses: number[] = [];
    for (let time = 0; time < 3; time++) {
      slowness.suspect(time * 100, Number.NaN);
      slowness.see(true, time * 100, 20);
      pauses.push(slowness.tryAt(false, time * 100, 20) - time * 100);
      slowness.suspectSince = Number.NaN;
      slowness.see(false, time * 100 + 50, 20);
    }
    expect(pauses[0]).toBe(4_000);
    expect(pauses[1]).toBeGreaterThan(10_000);
    expect(pauses[2]).toBeGreaterThan(25_000);
  });
});
