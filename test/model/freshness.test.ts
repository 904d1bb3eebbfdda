import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Observation, violationsOf, type Write } from "./freshness.ts";

const write = (invokedAt: number, acknowledgedAt: number, value: string | undefined, endpoint = "a"): Write => ({
  endpoint,
  value,
  invokedAt,
  acknowledgedAt,
});
const saw = (at: number, value?: string, endpoint = "a"): Observation => ({
  at,
  values: new Map(value === undefined ? [] : [[endpoint, value]]),
});
/** There is an instance, it moves, it is gone. */
const writes = [write(100, 110, "1"), write(300, 310, "2"), write(500, 510, undefined)];
const kindsOf = (observations: readonly Observation[], endAt = 1_000, boundMs = 50) =>
  violationsOf(writes, observations, boundMs, endAt).map(({ kind, at }) => `${kind} at ${at}`);

describe("a history", () => {
  it.each<[string, readonly Observation[]]>([
    ["of what is so at once", [saw(0), saw(110, "1"), saw(310, "2"), saw(510)]],
    ["of what is so before it is acknowledged", [saw(0), saw(101, "1"), saw(301, "2"), saw(501)]],
    ["of what is late by as much as it may be", [saw(0), saw(160, "1"), saw(360, "2"), saw(560)]],
    ["that has seen nothing of what was short", [saw(0), saw(150, "1"), saw(355, "2"), saw(355, "2"), saw(560)]],
  ])("is good %s", (_what, observations) => {
    expect(kindsOf(observations)).toEqual([]);
  });

  it.each<[string, readonly Observation[], readonly string[]]>([
    ["of an instance that is never seen", [saw(0)], ["stale at 0"]],
    ["that misses a whole life", [saw(0), saw(600)], ["stale at 0"]],
    ["that begins too late", [saw(0), saw(161, "1"), saw(310, "2"), saw(510)], ["stale at 0"]],
    ["that has lost a change of place", [saw(0), saw(110, "1"), saw(510)], ["stale at 110"]],
    ["that keeps who is gone", [saw(0), saw(110, "1"), saw(310, "2")], ["stale at 310"]],
    ["that confirms who is gone", [saw(0), saw(110, "1"), saw(310, "2"), saw(510), saw(700, "2"), saw(701)], ["backwards at 700"]],
    [
      "that goes back within the bound",
      [saw(0), saw(110, "1"), saw(310, "2"), saw(320, "1"), saw(330, "2"), saw(510)],
      ["backwards at 320"],
    ],
    [
      "that leaves out who is there, for a moment",
      [saw(0), saw(110, "1"), saw(200), saw(201, "1"), saw(310, "2"), saw(510)],
      ["backwards at 200"],
    ],
    ["of what nobody wrote", [saw(0), saw(110, "1"), saw(200, "7"), saw(201, "1"), saw(310, "2"), saw(510)], ["unwritten at 200"]],
    ["of what nobody has written yet", [saw(0), saw(110, "1"), saw(200, "2"), saw(510)], ["unwritten at 200"]],
  ])("is found %s", (_what, observations, expected) => {
    expect(kindsOf(observations)).toEqual(expected);
  });

  it("is one for each endpoint", () => {
    const two = [...writes, write(100, 110, "9", "b")];
    const both = (at: number, a: string | undefined, b: string | undefined): Observation => ({
      at,
      values: new Map(Object.entries({ a, b }).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))),
    });
    const good = [both(0, undefined, undefined), both(120, "1", "9"), both(320, "2", "9"), both(520, undefined, "9")];
    expect(violationsOf(two, good, 50, 1_000)).toEqual([]);
    const lost = [...good.slice(0, 3), both(520, undefined, undefined)];
    expect(violationsOf(two, lost, 50, 1_000)).toEqual([{ endpoint: "b", at: 520, value: undefined, kind: "backwards" }]);
  });

  it("of a register that answers late by less than the bound is good, and by more is not", () => {
    // A client that looks every few milliseconds at a register as it was some time ago.
    const lateness = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.array(fc.nat(60), { minLength: 6, maxLength: 30 }));
    fc.assert(
      fc.property(lateness, fc.boolean(), ([delayMs, gaps], isTooLate) => {
        let now = 0;
        const made = gaps.map((gap, index) => {
          const invokedAt = now + 100 + gap;
          now = invokedAt + (gap % 7);
          return write(invokedAt, now, index % 3 === 2 ? undefined : `${index}`);
        });
        const late = isTooLate ? 55 : delayMs;
        const valueAt = (at: number) => made.findLast(({ acknowledgedAt }) => acknowledgedAt <= at)?.value;
        const observations = Array.from({ length: Math.ceil(now / 3) + 40 }, (_, index) => saw(index * 3, valueAt(index * 3 - late)));
        const endAt = (observations.at(-1)?.at ?? 0) + 1;
        expect(violationsOf(made, observations, 50, endAt).length > 0).toBe(isTooLate);
      }),
    );
  });
});
