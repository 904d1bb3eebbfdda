import { describe, expect, it } from "vitest";
import { adaptive } from "../../../src/index.ts";
import { healthy, type Instance, play, type Scenario, shareOf } from "../scenario.ts";

const create: Scenario["create"] = (options) => adaptive(options);
const constant: Instance = () => ({ ms: 10, status: 200 });

/** Slower by 1.8 while it is called less than five times a second, as instances with cold caches are. */
function warm(): Instance {
  let rate = 0;
  let last = 0;
  return (now, path, random) => {
    rate = rate * Math.exp((last - now) / 3_000) + 1 / 3;
    last = now;
    const { ms } = healthy(5)(now, path, random);
    return { ms: rate < 5 ? 1.8 * ms : ms, status: 200 };
  };
}

/** The shares in disjoint windows of half a minute, as parts of the fair one. */
function windowsOf(instances: readonly Instance[], rate: number, seed: number): readonly (readonly number[])[] {
  const served = play({ instances, create, rate, seconds: 100, seed });
  return [10, 40, 70].map((from) => instances.map((_, index) => shareOf(served, index, from, from + 30) * instances.length));
}

describe("adaptive among equals", () => {
  for (const rate of [5, 50, 200]) {
    for (const [latency, make] of Object.entries({ constant: () => constant, exponential: () => healthy(5), "warm and cold": warm })) {
      it(`spreads ${rate} requests per second evenly over five instances of ${latency} latency`, () => {
        const wide = rate === 5 ? 0.25 : 0.15;
        for (const shares of windowsOf(Array.from({ length: 5 }, make), rate, 1)) {
          expect(Math.max(...shares)).toBeLessThan(1 + wide);
          expect(Math.min(...shares)).toBeGreaterThan(1 - wide);
        }
      });
    }
  }

  it("gives an instance that is 50 % slower less, and no less than a quarter of its fair share", () => {
    for (const shares of windowsOf([healthy(10), healthy(10), healthy(15)], 50, 2)) {
      expect(shares[2]).toBeLessThan(1.05);
      expect(shares[2]).toBeGreaterThan(0.25);
    }
  });

  it("keeps every one of equals in use while one request in ten fails on all of them", () => {
    const flaky: Instance = (now, path, random) => ({ ...healthy(5)(now, path, random), status: random() < 0.1 ? 500 : 200 });
    for (const shares of windowsOf([flaky, flaky, flaky, flaky], 100, 3)) {
      expect(Math.max(...shares)).toBeLessThan(2);
      expect(Math.min(...shares)).toBeGreaterThan(0.3);
    }
  });
});
