import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { random } from "../../../src/balancer/pickers/random.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { statisticsOf } from "../../../src/core/upstream.ts";
import { pickerContract } from "../../../src/testing/contract/picker.ts";
import { testRequest, testUpstream } from "../../../src/testing/request.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";

const upstreamsOf = (weights: readonly number[]) => weights.map((weight, index) => testUpstream({ port: index + 1, weight }));

/** Pearson's χ² of the counts against the shares of the positive weights. */
function chiSquare(seen: readonly number[], weights: readonly number[]): number {
  const total = seen.reduce((sum, count) => sum + count, 0);
  const weight = weights.reduce((sum, each) => sum + each, 0);
  return seen.reduce((sum, count, index) => {
    const expected = (total * (weights[index] as number)) / weight;
    return expected === 0 ? sum : sum + (count - expected) ** 2 / expected;
  }, 0);
}

/** The 99.99th percentile of χ², by degrees of freedom (Wilson and Hilferty). */
function limitOf(freedom: number): number {
  return freedom * (1 - 2 / (9 * freedom) + 3.719 * Math.sqrt(2 / (9 * freedom))) ** 3;
}

function count(weights: readonly number[], among: readonly number[], picks: number, seed: number): number[] {
  const upstreams = upstreamsOf(weights);
  const picker = random({ random: seededRandom(seed) });
  picker.update?.(upstreams);
  const part = among.map((index) => upstreams[index]).filter((upstream) => upstream !== undefined);
  for (let call = 0; call < picks; call++) {
    const upstream = picker.pick(part.length === upstreams.length ? upstreams : part, testRequest());
    if (upstream) statisticsOf(upstream).attempts++;
  }
  return upstreams.map(({ attempts: requests }) => requests);
}

const all = (weights: readonly number[]) => weights.map((_, index) => index);

describe("random", () => {
  for (const test of pickerContract((options) => random(options))) it(test.name, test.run);

  for (const weights of [
    [1, 1, 1, 1, 1],
    [5, 1, 1],
    [1, 2, 3, 4],
    [100, 1],
    [0.5, 0.25, 0.25],
    [0, 3, 0, 1],
    [7, 7],
  ]) {
    it(`shares by the weights ${weights.join(", ")}`, () => {
      const seen = count(weights, all(weights), 20_000, 42);
      const members = weights.filter((weight) => weight > 0).length;
      expect(chiSquare(seen, weights)).toBeLessThan(limitOf(members - 1));
      expect(seen.filter((_, index) => weights[index] === 0).every((each) => each === 0)).toBe(true);
    });
  }

  it("shares by weight in a part of the list too, as for a retry", () => {
    const weights = [5, 3, 1, 0, 2];
    const part = [1, 2, 3, 4];
    const seen = count(weights, part, 20_000, 7);
    expect([seen[0], seen[3]]).toEqual([0, 0]);
    expect(chiSquare(seen.slice(1), weights.slice(1))).toBeLessThan(limitOf(2));
  });

  it("follows the weights of the newest update", () => {
    const upstreams = upstreamsOf([1, 1]);
    const picker = random({ random: seededRandom(1) });
    picker.update?.(upstreams);
    upstreams[0]?.refresh({ ...(upstreams[0]?.endpoint as (typeof upstreams)[0]["endpoint"]), weight: 0 });
    picker.update?.(upstreams);
    for (let call = 0; call < 100; call++) expect(picker.pick(upstreams, testRequest())).toBe(upstreams[1]);
  });

  it("does not pick an instance of weight 0 for the lowest random number either", () => {
    const upstreams = upstreamsOf([0, 3, 0, 1]);
    const picker = random({ random: () => 0 });
    picker.update?.(upstreams);
    expect(picker.pick(upstreams, testRequest())).toBe(upstreams[1]);
  });

  it("picks the instance whose share contains the random number", () => {
    const weights = fc
      .array(fc.oneof(fc.nat(5), fc.nat(65_535)), { minLength: 1, maxLength: 12 })
      .filter((list) => list.some((weight) => weight > 0));
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (list, drawn) => {
        const upstreams = upstreamsOf(list);
        const picker = random({ random: () => drawn });
        picker.update?.(upstreams);
        const total = list.reduce((sum, weight) => sum + weight, 0);
        let rest = drawn * total;
        const expected = list.every((weight) => weight === list[0])
          ? Math.floor(drawn * list.length)
          : list.findIndex((weight) => {
              rest -= weight;
              return rest < 0;
            });
        expect(upstreams.indexOf(picker.pick(upstreams, testRequest()) as (typeof upstreams)[0])).toBe(expected);
      }),
    );
  });

  it("uses the mesh's random numbers unless it has its own", () => {
    const upstreams = upstreamsOf([1, 1, 1, 1]);
    const context = { clock: systemClock, random: () => 0.99 };
    expect(random().forService?.("orders", context).pick(upstreams, testRequest())).toBe(upstreams[3]);
    expect(
      random({ random: () => 0 })
        .forService?.("orders", context)
        .pick(upstreams, testRequest()),
    ).toBe(upstreams[0]);
  });

  it("shares by the weights in each of two lists in turn", () => {
    const upstreams = upstreamsOf([1, 3, 2, 2]);
    const lists = [upstreams.slice(0, 2), upstreams.slice(2)];
    const picker = random({ random: seededRandom(5) });
    for (const list of lists) picker.update?.(list);
    for (let call = 0; call < 20_000; call++) {
      const picked = picker.pick(lists[call % 2] as typeof upstreams, testRequest());
      if (picked) statisticsOf(picked).attempts++;
    }
    expect(
      chiSquare(
        upstreams.slice(0, 2).map(({ attempts: requests }) => requests),
        [1, 3],
      ),
    ).toBeLessThan(limitOf(1));
    expect(
      chiSquare(
        upstreams.slice(2).map(({ attempts: requests }) => requests),
        [2, 2],
      ),
    ).toBeLessThan(limitOf(1));
  });

  it.each([Number.NaN, -1, 1, Number.POSITIVE_INFINITY])("picks a member of the list when the random source returns %s", (broken) => {
    for (const weights of [
      [1, 1, 1],
      [1, 2, 3],
    ]) {
      const upstreams = upstreamsOf(weights);
      const picker = random({ random: () => broken });
      picker.update?.(upstreams);
      expect(upstreams).toContain(picker.pick(upstreams, testRequest()));
    }
  });

  it.each([
    [{ random: 5 }, "random: random must be a function, not 5"],
    [{ seed: 5 }, 'random has no option "seed"'],
  ])("refuses %j", (options, message) => {
    expect(() => random(options as object)).toThrow(message);
  });
});
