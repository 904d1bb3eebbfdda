import { describe, expect, it } from "vitest";
import { statisticsOf } from "../../../src/core/upstream.ts";
import { leastRequest } from "../../../src/index.ts";
import { pickerContract, seededRandom, testRequest, testUpstream } from "../../../src/testing/index.ts";
import { healthy, play, shareOf } from "../scenario.ts";

function upstreamsOf(inFlight: readonly number[], weights: readonly number[] = []) {
  return inFlight.map((count, index) => {
    const upstream = testUpstream({ host: `10.0.0.${index + 1}`, weight: weights[index] ?? 1 });
    statisticsOf(upstream).inFlight = count;
    return upstream;
  });
}

function count(picker: ReturnType<typeof leastRequest>, upstreams: ReturnType<typeof upstreamsOf>, picks: number): number[] {
  const counts = upstreams.map(() => 0);
  picker.update?.(upstreams);
  for (let call = 0; call < picks; call++) {
    const picked = picker.pick(upstreams, testRequest());
    const index = upstreams.indexOf(picked as (typeof upstreams)[0]);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

describe("leastRequest", () => {
  for (const test of pickerContract((options) => leastRequest(options))) it(test.name, test.run);
  for (const test of pickerContract((options) => leastRequest({ choices: "all", ...options }))) it(`${test.name}, among all`, test.run);

  it("never picks the busiest, and others as often as they are compared with a busier one", () => {
    const [first = 0, second = 0, third = 0] = count(leastRequest({ random: seededRandom(1) }), upstreamsOf([0, 1, 2]), 30_000);
    expect(third).toBe(0);
    expect(first / (first + second)).toBeCloseTo(2 / 3, 1);
  });

  it('picks the least busy of all with "all", and one of several at random', () => {
    const counts = count(leastRequest({ choices: "all", random: seededRandom(2) }), upstreamsOf([3, 1, 2, 1]), 10_000);
    expect([counts[0], counts[2]]).toEqual([0, 0]);
    expect((counts[1] ?? 0) / 10_000).toBeCloseTo(0.5, 1);
  });

  it("shares by weight / (in flight + 1) when weights differ, as Envoy does", () => {
    const counts = count(leastRequest({ random: seededRandom(3) }), upstreamsOf([0, 1, 0, 4], [1, 4, 0, 5]), 40_000);
    expect(counts[2]).toBe(0);
    // 1/1, 4/2 and 5/5.
    expect(counts.map((each) => Math.round((each / 40_000) * 20) / 20)).toEqual([0.25, 0.5, 0, 0.25]);
  });

  it("gives an instance that is 50 times slower a small share under load", () => {
    const fast = healthy(10);
    const served = play({
      instances: [healthy(500), fast, fast, fast, fast],
      create: ({ random }) => leastRequest({ random }),
      rate: 500,
      seconds: 30,
    });
    expect(shareOf(served, 0, 5)).toBeLessThan(0.03);
  });

  it.each([Number.NaN, 1, -1, Number.POSITIVE_INFINITY])("picks a member of the list when the random source returns %s", (broken) => {
    for (const choices of [2, 3, "all"] as const) {
      for (const weights of [[], [1, 2, 3, 4]]) {
        const upstreams = upstreamsOf([1, 0, 2, 0], weights);
        const picker = leastRequest({ choices, random: () => broken });
        picker.update?.(upstreams);
        expect(upstreams).toContain(picker.pick(upstreams, testRequest()));
      }
    }
  });

  it("uses the mesh's random numbers unless it has its own", () => {
    const context = { clock: { now: () => 0, wallNow: () => 0, setTimer: () => undefined, clearTimer: () => undefined }, random: () => 0 };
    const upstreams = upstreamsOf([0, 0, 0]);
    const picker = leastRequest().forService?.("orders", context);
    for (let call = 0; call < 20; call++) expect(picker?.pick(upstreams, testRequest())).toBe(upstreams[0]);
    const own = leastRequest({ random: () => 0.99 }).forService?.("orders", context);
    expect(own?.pick(upstreams, testRequest())).toBe(upstreams[2]);
  });

  it.each([
    [{ choices: 1 }, "leastRequest: choices must be at least 2, not 1"],
    [{ choices: 2.5 }, "leastRequest: choices must be a whole number, not 2.5"],
    [{ choices: "some" }, 'leastRequest: choices must be a number from 2 on or "all", not "some"'],
    [{ random: 5 }, "leastRequest: random must be a function, not 5"],
    [{ choice: 2 }, 'leastRequest has no option "choice"'],
  ])("refuses %j", (options, message) => {
    expect(() => leastRequest(options as object)).toThrow(message);
  });

  it("has the same shares in lists of which it does not look at every candidate", () => {
    const weights = Array.from({ length: 40 }, (_, index) => 1 + (index % 4));
    const inFlight = weights.map((_, index) => index % 3);
    const upstreams = upstreamsOf(inFlight, weights);
    const counts = count(leastRequest({ random: seededRandom(4) }), upstreams, 80_000);
    const chances = weights.map((weight, index) => weight / ((inFlight[index] as number) + 1));
    const total = chances.reduce((sum, chance) => sum + chance, 0);
    for (const [index, chance] of chances.entries()) {
      const expected = (80_000 * chance) / total;
      expect(Math.abs((counts[index] as number) - expected)).toBeLessThan(4 * Math.sqrt(expected) + 0.02 * expected);
    }
  });

  it("picks the least busy of the drawn candidates when all of many are busy", () => {
    const inFlight = Array.from({ length: 100 }, (_, index) => (index % 10 === 0 ? 5_000 : 100_000));
    const upstreams = upstreamsOf(
      inFlight,
      inFlight.map((_, index) => 1 + (index % 2)),
    );
    const counts = count(leastRequest({ random: seededRandom(5) }), upstreams, 2_000);
    const toBusy = counts.filter((_, index) => index % 10 !== 0).reduce((sum, each) => sum + each, 0);
    expect(toBusy / 2_000).toBeLessThan(0.2);
  });

  it("explains the cost of an instance", () => {
    const upstreams = upstreamsOf([3, 0], [2, 0]);
    const picker = leastRequest();
    expect(upstreams.map((upstream) => picker.explain?.(upstream))).toEqual([
      { cost: 2, weight: 2 },
      { cost: 1e6, weight: 0 },
    ]);
  });
});
