import { describe, expect, it } from "vitest";
import { roundRobin } from "../../../src/balancer/pickers/round-robin.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { pickerContract } from "../../../src/testing/contract/picker.ts";
import { testRequest, testUpstream } from "../../../src/testing/request.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";

const upstreams = ["a", "b", "c"].map((id, index) => testUpstream({ id, port: index + 1, weight: index * 10 }));

function picks(picker: ReturnType<typeof roundRobin>, count: number): string {
  return Array.from({ length: count }, () => picker.pick(upstreams, testRequest())?.id).join("");
}

describe("roundRobin", () => {
  for (const test of pickerContract((options) => roundRobin(options))) it(test.name, test.run);

  it("picks every instance in turn, whatever its weight", () => {
    expect(picks(roundRobin({ random: () => 0 }), 9)).toBe("bcabcabca");
  });

  it("begins at a random instance, so that clients that start together differ", () => {
    const random = seededRandom(3);
    const first = Array.from({ length: 300 }, () => picks(roundRobin({ random }), 1));
    for (const id of ["a", "b", "c"]) expect(first.filter((each) => each === id).length).toBeGreaterThan(60);
  });

  it("keeps its place across updates", () => {
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

  it("has a turn for each list, which picks from other lists or from a part do not take", () => {
    const picker = roundRobin({ random: () => 0 });
    const others = ["x", "y"].map((id, index) => testUpstream({ id, port: 10 + index }));
    for (const list of [upstreams, others]) picker.update?.(list);
    let sequence = "";
    for (let call = 0; call < 6; call++) {
      sequence += [upstreams, others].map((list) => picker.pick(list, testRequest())?.id).join("");
      picker.pick(upstreams.slice(1), testRequest());
    }
    expect(sequence).toBe("bycxaybxcyax");
  });

  it("hands the turn of a list on to the list that replaces it", () => {
    const picker = roundRobin({ random: () => 0 });
    const others = ["x", "y", "z"].map((id, index) => testUpstream({ id, port: 10 + index }));
    let sequence = "";
    for (let call = 0; call < 6; call++) {
      const lists = [[...upstreams], [...others]];
      for (const list of lists) picker.update?.(list);
      sequence += lists.map((list) => picker.pick(list, testRequest())?.id).join("");
    }
    expect(sequence).toBe("byczaxbyczax");
  });

  it("uses the mesh's random numbers unless it has its own", () => {
    const context = { clock: systemClock, random: () => 0.5 };
    const first = (picker: ReturnType<typeof roundRobin> | undefined) => picker?.pick(upstreams, testRequest())?.id;
    const begin = Math.floor(0.5 * 1_000_003);
    expect(first(roundRobin().forService?.("orders", context))).toBe(upstreams[(begin + 1) % 3]?.id);
    expect(first(roundRobin({ random: () => 0 }).forService?.("orders", context))).toBe("b");
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300])("picks a member of the list when the random source returns %s", (broken) => {
    const picker = roundRobin({ random: () => broken });
    picker.update?.(upstreams);
    for (let call = 0; call < 5; call++) expect(upstreams).toContain(picker.pick(upstreams, testRequest()));
  });

  it.each([
    [{ random: 5 }, "roundRobin: random must be a function, not 5"],
    [{ seed: 5 }, 'roundRobin has no option "seed"'],
  ])("refuses %j", (options, message) => {
    expect(() => roundRobin(options as object)).toThrow(message);
  });
});
