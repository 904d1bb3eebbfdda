import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mayEject } from "../../../src/rotation/ejection/ejection-limit.ts";

describe("mayEject", () => {
  it("lets half of those that can be reached be out, the first of two or more always", () => {
    const most = (instances: number, unreachable: number, percent: number) => {
      let ejected = 0;
      while (mayEject({ instances, unreachable, ejected }, percent)) ejected++;
      return ejected;
    };
    expect([0, 1, 2, 3, 4, 5, 10].map((instances) => most(instances, 0, 50))).toEqual([0, 0, 1, 1, 2, 2, 5]);
    expect([10, 9, 6, 5, 2].map((unreachable) => most(10, unreachable, 50))).toEqual([0, 0, 2, 2, 4]);
    expect([1, 10, 34, 100].map((percent) => most(3, 0, percent))).toEqual([1, 1, 1, 3]);
    expect(most(100, 0, 10)).toBe(10);
  });

  it("never takes the last one that can be reached below 100 percent", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), fc.nat(200), fc.integer({ min: 1, max: 99 }), (instances, unreachable, ejected, percent) => {
        if (mayEject({ instances, unreachable, ejected }, percent)) expect(instances - unreachable - ejected - 1).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});
