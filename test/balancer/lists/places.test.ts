import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { placesIn } from "../../../src/balancer/lists/places.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { testUpstream } from "../../../src/testing/index.ts";

const all = Array.from({ length: 20 }, (_, index) => testUpstream({ port: index + 1 }));

describe("placesIn", () => {
  it("finds every member's index in the list before, for any changes", () => {
    const part = fc.uniqueArray(fc.nat(19), { maxLength: 20 }).map((indexes) => indexes.map((index) => all[index] as Upstream));
    fc.assert(
      fc.property(part, part, (before, list) => {
        expect([...placesIn(before, list)]).toEqual(list.map((upstream) => before.indexOf(upstream)));
      }),
    );
  });
});
