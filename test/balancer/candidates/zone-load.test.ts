import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Zone, zoneShares } from "../../../src/balancer/candidates/zone-load.ts";

const counts = (numbers: Record<string, number>) => new Map<Zone, number>(Object.entries(numbers));
const sharesOf = (own: string, capacities: Record<string, number>, callers?: Record<string, number>) => {
  const shares = zoneShares(own, counts(capacities), callers && counts(callers));
  return shares && Object.fromEntries([...shares].map(([zone, share]) => [zone, Number(share.toFixed(4))]));
};

describe("zoneShares", () => {
  it("equals Envoy's example: of callers 40/40/20 and instances 25/50/25, 62.5 % stay and the rest goes 2 to 1 to the others", () => {
    expect(sharesOf("a", { a: 25, b: 50, c: 25 }, { a: 40, b: 40, c: 20 })).toEqual({ a: 0.625, b: 0.25, c: 0.125 });
    expect(sharesOf("b", { a: 25, b: 50, c: 25 }, { a: 40, b: 40, c: 20 })).toEqual({ a: 0, b: 1, c: 0 });
    expect(sharesOf("c", { a: 25, b: 50, c: 25 }, { a: 40, b: 40, c: 20 })).toEqual({ a: 0, b: 0, c: 1 });
  });

  it("keeps all requests in the own zone while it has its part of the capacity", () => {
    expect(sharesOf("a", { a: 3, b: 3 }, { a: 1, b: 1 })).toEqual({ a: 1, b: 0 });
    expect(sharesOf("a", { a: 2, b: 2, c: 2 }, { a: 7, b: 7, c: 7 })).toEqual({ a: 1, b: 0, c: 0 });
    const rounded = new Map<Zone, number>([
      ["a", 0.1 + 0.1 + 0.1],
      ["b", 0.3],
    ]);
    expect(zoneShares("b", rounded)?.get("a"), "a hair less than a half").toBe(0);
  });

  it("assumes unknown callers to be equally many in the own zone and in each zone with instances", () => {
    expect(sharesOf("a", { a: 5, b: 5 })).toEqual({ a: 1, b: 0 });
    expect(sharesOf("a", { a: 1, b: 4 })).toEqual({ a: 0.4, b: 0.6 });
    expect(sharesOf("c", { a: 5, b: 5 }), "no instance at home").toEqual({ a: 0.5, b: 0.5 });
    const shares = zoneShares(
      "a",
      new Map<Zone, number>([
        ["a", 2],
        ["b", 2],
        [undefined, 2],
      ]),
    );
    expect(shares?.get("a"), "instances without a zone have no callers of their own").toBeCloseTo(2 / 3);
    expect(shares?.get(undefined)).toBeCloseTo(1 / 3);
  });

  it("sends requests of other zones to a zone without callers", () => {
    expect(sharesOf("a", { a: 1, b: 1, c: 2 }, { a: 1, b: 1 })).toEqual({ a: 0.5, b: 0, c: 0.5 });
  });

  it("is undefined when callers or instances are in one zone only, or there are none", () => {
    expect(sharesOf("a", { a: 6 })).toBeUndefined();
    expect(sharesOf("a", { b: 6 }), "the only zone is another one").toBeUndefined();
    expect(sharesOf("a", { a: 3, b: 3 }, { a: 9 })).toBeUndefined();
    expect(sharesOf("a", { a: 3, b: 3 }, { a: 9, b: 0 })).toBeUndefined();
    expect(sharesOf("a", { a: 3, b: 3 }, {})).toBeUndefined();
    expect(sharesOf("c", { a: 3, b: 3 }, { a: 1, b: 1 }), "a zone that neither has anything to do with").toBeUndefined();
  });

  it("treats __proto__ as a zone like any other", () => {
    expect(
      zoneShares(
        "__proto__",
        new Map<Zone, number>([
          ["__proto__", 3],
          ["b", 3],
        ]),
      )?.get("__proto__"),
    ).toBe(1);
  });

  const zones = ["a", "b", "c", "d"];
  const numbers = fc.record(Object.fromEntries(zones.map((zone) => [zone, fc.nat(40)])));

  it("loads the zones by their capacity over all callers, when the numbers of callers are right", () => {
    fc.assert(
      fc.property(numbers, numbers, (capacities, callers) => {
        const present = counts(Object.fromEntries(Object.entries(capacities).filter(([, number]) => number > 0)));
        const population = counts(callers);
        const total = [...population.values()].reduce((sum, each) => sum + each, 0);
        const capacity = [...present.values()].reduce((sum, each) => sum + each, 0);
        const load = new Map<Zone, number>();
        for (const [zone, count] of population) {
          if (count === 0) continue;
          const shares = zoneShares(zone as string, present, population);
          if (shares === undefined) return;
          let sum = 0;
          for (const [target, share] of shares) {
            expect(share).toBeGreaterThanOrEqual(0);
            sum += share;
            load.set(target, (load.get(target) ?? 0) + (share * count) / total);
          }
          expect(sum).toBeCloseTo(1, 9);
        }
        for (const [zone, number] of present) expect(load.get(zone) ?? 0).toBeCloseTo(number / capacity, 6);
      }),
    );
  });

  it("keeps no fewer requests in the own zone when it has more instances", () => {
    fc.assert(
      fc.property(numbers, numbers, (capacities, callers) => {
        const before = zoneShares("a", counts(capacities), counts(callers));
        const after = zoneShares("a", counts({ ...capacities, a: (capacities["a"] ?? 0) + 1 }), counts(callers));
        if (before === undefined || after === undefined) return;
        expect(after.get("a")).toBeGreaterThanOrEqual((before.get("a") as number) - 1e-9);
      }),
    );
  });
});
