import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rounds } from "../../../src/balancer/hashing/rounds.ts";

/** Envoy's loop, which looks at each member in each round. */
function envoy(weights: readonly number[], rounds: number): number[][] {
  const highest = Math.max(...weights);
  const targets = weights.map(() => 0);
  return Array.from({ length: rounds }, (_, index) =>
    weights.flatMap((weight, turn) => {
      if ((index + 1) * weight < (targets[turn] as number)) return [];
      targets[turn] = (targets[turn] as number) + highest;
      return [turn];
    }),
  );
}

describe("Rounds", () => {
  it("gives each member the turns that Envoy's loop gives it", () => {
    const weights = fc.array(fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.double({ min: 0.001, max: 100, noNaN: true })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(weights, (list) => {
        const rounds = new Rounds(Float64Array.from(list));
        expect(Array.from({ length: 200 }, () => [...rounds.next()])).toEqual(envoy(list, 200));
      }),
    );
  });
});
