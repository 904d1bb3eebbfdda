import { describe, expect, it } from "vitest";
import { continueFrom, incoming } from "../../src/policies/incoming.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

describe("continueFrom", () => {
  it("says how long the caller still waits, also after an await, and only inside", async () => {
    const clock = virtualClock();
    const seen = await continueFrom(
      { "x-mesh-deadline-ms": "250" },
      async () => {
        await clock.advance(100);
        return incoming()?.remainingMs();
      },
      clock,
    );
    expect(seen).toBe(150);
    expect(incoming()).toBeUndefined();
  });

  it("reads a Headers as well, and the number of the attempt", () => {
    const headers = new Headers({ "X-Mesh-Attempt": "3" });
    const seen = continueFrom(headers, () => incoming());
    expect([seen?.attempt, seen?.remainingMs()]).toEqual([3, Number.POSITIVE_INFINITY]);
  });

  it.each([{ "x-mesh-mirrored": "1" }, { "x-mesh-mirrored": "" }, new Headers({ "x-mesh-mirrored": "1" })])("knows a copy", (headers) => {
    expect(continueFrom(headers, () => incoming()?.isCopy)).toBe(true);
    expect(continueFrom(new Headers({ "x-mesh-attempt": "2" }), () => incoming()?.isCopy)).toBe(false);
  });

  it("returns what the handler returns, and costs nothing where the caller said nothing", () => {
    expect(continueFrom({}, () => incoming() ?? "nothing")).toBe("nothing");
  });

  it.each(["", "-1", "1e9", "0x10", " 5", "5 ", "999999999", "NaN", "5, 6", ["5"]])("does not believe %j", (value) => {
    expect(continueFrom({ "x-mesh-deadline-ms": value }, () => incoming())).toBeUndefined();
  });

  it("keeps a header named like an inherited property apart", () => {
    expect(continueFrom(Object.create({ "x-mesh-attempt": "abc" }), () => incoming())).toBeUndefined();
  });
});
