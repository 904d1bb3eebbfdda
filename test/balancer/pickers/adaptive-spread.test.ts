import { describe, expect, it } from "vitest";
import { TrackRecord } from "../../../src/balancer/learning/track-record.ts";
import { Spread } from "../../../src/balancer/pickers/adaptive-spread.ts";
import { seededRandom } from "../../../src/testing/index.ts";

const random = seededRandom(3);

/** A spread of instances with so many responses each, of exponential latencies with these means. */
function spreadOf(meansMs: readonly number[], responses: number): Spread {
  const spread = new Spread();
  spread.clear();
  for (const meanMs of meansMs) {
    const record = new TrackRecord();
    for (let call = 0; call < responses; call++) record.observe(-meanMs * Math.log(1 - random()), call, 30_000);
    spread.add(record);
  }
  return spread;
}

const twenty = (slow: number, factor: number) => Array.from({ length: 20 }, (_, at) => (at < slow ? 20 * factor : 20));

describe("the spread of latencies", () => {
  it("tells from six responses of each that some of twenty instances are slower", () => {
    const spreads = Array.from({ length: 50 }, () => spreadOf(twenty(6, 5), 6).toldApartAt);
    expect(spreads.filter((at) => at < 2).length).toBeGreaterThan(35);
  });

  it("takes instances for equal that are", () => {
    const spreads = Array.from({ length: 50 }, () => spreadOf(twenty(0, 1), 8).toldApartAt);
    expect(spreads.filter((at) => at < 2).length).toBeLessThan(6);
  });

  it("leaves each pair to itself where there are many responses, or only two instances", () => {
    expect(spreadOf(twenty(6, 5), 500).toldApartAt).toBeGreaterThan(2.1);
    expect(spreadOf([20, 200], 10).toldApartAt).toBe(2.2);
  });

  it("is of no candidates once it has been cleared", () => {
    const spread = spreadOf(twenty(6, 5), 10);
    spread.clear();
    expect(spread.toldApartAt).toBe(2.2);
  });
});
