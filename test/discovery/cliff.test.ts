import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { isCliff, isCliffAfter } from "../../src/discovery/cliff.ts";

const set = (ids: string): readonly Endpoint[] => [...ids].map((id) => ({ id, host: "10.0.0.1", port: 80 }));

describe("a cliff", () => {
  it("lists none, or less than half and leaves three or more out", () => {
    const said = [isCliff(1, 0, 1), isCliff(10, 4, 6), isCliff(10, 5, 5), isCliff(3, 1, 2), isCliff(0, 0, 0), isCliff(5, 0, 0)];
    expect(said).toEqual([true, true, false, false, false, false]);
  });

  it("is seen between two sets by their ids", () => {
    expect(isCliffAfter(set("abcdefghij"), set("ab"))).toBe(true);
    expect(isCliffAfter(set("abcdefghij"), set("abcde"))).toBe(false);
    expect(isCliffAfter(set("abcd"), set("x"))).toBe(true);
    expect(isCliffAfter(set("abcd"), set("wxyz"))).toBe(false);
    expect(isCliffAfter([], [])).toBe(false);
  });
});
