import { describe, expect, it } from "vitest";
import { Slowness } from "../../../src/balancer/learning/slowness.ts";

describe("slowness", () => {
  it("counts a small difference after three seconds, and puts it to the test less and less often", () => {
    const slowness = new Slowness();
    const counted = (second: number) => slowness.mild(1.5, 1_000 * second, 10);
    expect([0, 2.9].map(counted)).toEqual([1, 1]);
    expect([3, 5.9].map(counted)).toEqual([1.5, 1.5]);
    // The first trial, of two seconds, with more than a full share.
    expect([6, 7.9].map(counted)).toEqual([0.95, 0.95]);
    const spans: number[] = [];
    for (let second = 8; second < 200; second += 0.5) spans.push(counted(second));
    const trials = spans.filter((each) => each < 1).length / 2;
    expect(trials).toBeGreaterThan(5);
    expect(trials).toBeLessThan(25);
    slowness.endMild();
    expect(counted(200)).toBe(1);
  });

  it("lasts in a trial until an instance that is called rarely has had requests to become warm", () => {
    const lengthOf = (fairMs: number) => {
      const slowness = new Slowness();
      let length = 0;
      for (let now = 0; now < 16_000; now += 100) if (slowness.mild(1.5, now, fairMs) < 1) length += 100;
      return length;
    };
    expect([10, 100, 200, 5_000].map(lengthOf)).toEqual([2_000, 4_000, 8_000, 10_000]);
  });

  it("tells what a small difference counts as without being looked at by a pick", () => {
    const slowness = new Slowness();
    expect(slowness.mildAt(1.5, 5_000)).toBe(1);
    slowness.mild(1.5, 0, 10);
    expect([1_000, 4_000, 7_000].map((now) => slowness.mildAt(1.5, now))).toEqual([1, 1.5, 0.95]);
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
