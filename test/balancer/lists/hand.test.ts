import { describe, expect, it } from "vitest";
import { Hand, handSize } from "../../../src/balancer/lists/hand.ts";
import { seededRandom } from "../../../src/testing/index.ts";

describe("Hand", () => {
  for (const [length, replaced] of [
    [33, 5],
    [100, 5],
    [1_024, 2],
    [10_000, 2],
  ] as const) {
    it(`holds each of ${length} candidates for equally many picks`, () => {
      const hand = new Hand(length, seededRandom(length));
      const counts = new Uint32Array(length);
      const passes = 20;
      for (let pick = 0; pick < (passes * length) / replaced; pick++)
        for (const index of hand.next()) counts.set([(counts[index] ?? 0) + 1], index);
      const fair = (passes * handSize) / replaced;
      // The hands at both ends are not complete.
      for (const count of counts) expect(Math.abs(count - fair)).toBeLessThanOrEqual(handSize / replaced);
    });

    it(`replaces ${replaced} of a hand from ${length} in each pick`, () => {
      const hand = new Hand(length, seededRandom(2));
      for (let pick = 0, before = Array.from(hand.next()); pick < length; pick++) {
        const after = Array.from(hand.next());
        expect(after.filter((index, place) => index !== before[place]).length).toBeLessThanOrEqual(replaced);
        before = after;
      }
    });
  }

  it("comes to every candidate whatever the source of random numbers returns", () => {
    for (const value of [0, 0.5, 0.9999, 1, Number.NaN, -1]) {
      const hand = new Hand(100, () => value);
      const seen = new Set<number>();
      for (let pick = 0; pick < 60; pick++) for (const index of hand.next()) seen.add(index);
      expect(seen.size).toBe(100);
    }
  });

  it("takes an order of its own in each pass and client", () => {
    const orderOf = (hand: Hand) => Array.from({ length: 25 }, () => Array.from(hand.next())).join();
    const hand = new Hand(100, seededRandom(1));
    expect(new Set([orderOf(hand), orderOf(hand), orderOf(hand), orderOf(new Hand(100, seededRandom(5)))]).size).toBe(4);
  });
});
