import { describe, expect, it } from "vitest";
import { costFactor, weighList, weightOf } from "../../../src/balancer/lists/weights.ts";
import type { Picker } from "../../../src/balancer/picker.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { localResponse } from "../../../src/extend.ts";
import { adaptive, leastRequest, maglev, peakEwma, prequal, random, ringHash, roundRobin, weighted } from "../../../src/index.ts";
import { seededRandom, testRequest, testUpstream } from "../../../src/testing/index.ts";

function upstreamWith(weight: unknown, port = 80): Upstream {
  return Object.defineProperty(testUpstream({ port }), "weight", { value: weight });
}

describe("weightOf", () => {
  it.each([
    [0, 0],
    [0.5, 0.5],
    [65_535, 65_535],
    [1e9, 65_535],
    [Number.POSITIVE_INFINITY, 65_535],
    [-1, 0],
    [Number.NEGATIVE_INFINITY, 0],
    [Number.NaN, 1],
    ["5", 1],
    [undefined, 1],
    [null, 1],
    [5n, 1],
  ])("reads %s as %s", (weight, expected) => {
    expect(weightOf(upstreamWith(weight))).toBe(expected);
  });
});

describe("costFactor", () => {
  it("is mean weight / weight, and never infinite", () => {
    const upstreams = [1, 2, 0, 5].map((weight) => upstreamWith(weight));
    const weighed = weighList(upstreams);
    expect(weighed).toEqual({ isEven: false, mean: 2 });
    expect(upstreams.map((upstream) => costFactor(upstream, weighed))).toEqual([2, 1, 2e6, 0.4]);
    const even = weighList(upstreams.slice(0, 1));
    expect([even.isEven, costFactor(upstreams[1] as Upstream, even)]).toEqual([true, 1]);
  });
});

describe("an invalid weight", () => {
  const pickers: Record<string, (random: () => number) => Picker> = {
    adaptive: (chance) => adaptive({ random: chance }),
    leastRequest: (chance) => leastRequest({ random: chance }),
    maglev: (chance) => maglev({ random: chance, balanceFactor: 125 }),
    peakEwma: (chance) => peakEwma({ random: chance }),
    prequal: (chance) => prequal({ random: chance }),
    random: (chance) => random({ random: chance }),
    ringHash: (chance) => ringHash({ random: chance, balanceFactor: 125 }),
    roundRobin: (chance) => roundRobin({ random: chance }),
    weighted: (chance) => weighted({ random: chance }),
    "weighted by reports": (chance) => weighted({ random: chance, by: "reported" }),
  };
  const strange = [Number.NaN, -1, 0, 1e9, "5", Number.POSITIVE_INFINITY];
  for (const [name, create] of Object.entries(pickers)) {
    it.each([3, 40, 300])(`does not stop ${name} among %i, also when all weights are so`, (size) => {
      for (const weights of [...strange.map((weight) => [weight]), [1, ...strange]]) {
        const picker = create(seededRandom(1));
        const upstreams = Array.from({ length: size }, (_, index) => upstreamWith(weights[index % weights.length], index + 1));
        picker.update?.(upstreams);
        for (let call = 0; call < 60; call++) {
          const picked = picker.pick(upstreams, testRequest({ options: { hashKey: `${call}` } })) as Upstream;
          expect(upstreams).toContain(picked);
          const learner = picker.onAttempt?.(picked, testRequest());
          learner?.onHead(localResponse(call % 3 === 0 ? 503 : 200));
          learner?.onEnd(undefined);
          for (const value of Object.values(picker.explain?.(picked) ?? {})) expect(value).not.toBeNaN();
        }
      }
    });
  }
});
