import { describe, expect, it } from "vitest";
import { roundRobin } from "../../src/balancer/round-robin.ts";
import { pickerContract } from "../../src/testing/contract/picker.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const upstreams = ["a", "b", "c"].map((id, index) => testUpstream({ id, port: index + 1, weight: index * 10 }));

function picks(picker: ReturnType<typeof roundRobin>, count: number): string {
  return Array.from({ length: count }, () => picker.pick(upstreams, testRequest())?.id).join("");
}

describe("roundRobin", () => {
  for (const test of pickerContract((options) => roundRobin(options))) it(test.name, test.run);

  it("picks each in turn, whatever its weight", () => {
    expect(picks(roundRobin({ random: () => 0 }), 9)).toBe("bcabcabca");
  });

  it("begins anywhere, so that clients that start together do not all begin with the same one", () => {
    const random = seededRandom(3);
    const first = Array.from({ length: 300 }, () => picks(roundRobin({ random }), 1));
    for (const id of ["a", "b", "c"]) expect(first.filter((each) => each === id).length).toBeGreaterThan(60);
  });

  it("goes on in its place when the set has changed", () => {
    const picker = roundRobin({ random: () => 0 });
    expect(picks(picker, 2)).toBe("bc");
    picker.update?.([...upstreams]);
    expect(picks(picker, 2)).toBe("ab");
  });

  it("has a turn of its own for each service", () => {
    const picker = roundRobin({ random: () => 0 });
    const other = picker.forService?.("other") as typeof picker;
    expect([picks(picker, 2), picks(other, 2), picks(picker, 1)]).toEqual(["bc", "bc", "a"]);
  });
});
