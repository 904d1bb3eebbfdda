import { describe, expect, it } from "vitest";
import { equalValues } from "../../../src/core/settings/equal-values.ts";

describe("values of options", () => {
  it("are the same where they say the same", () => {
    const made = new (class Made {})();
    const run = () => true;
    expect(equalValues({ a: 1, b: [1, { c: run }], d: undefined }, { b: [1, { c: run }], a: 1 })).toBe(true);
    expect(equalValues({ made }, { made })).toBe(true);
    expect(equalValues(Number.NaN, Number.NaN)).toBe(true);
  });

  it("differ where they do not, and where code has made two of them", () => {
    class Made {}
    for (const [one, other] of [
      [1, 2],
      [{ a: 1 }, { a: 2 }],
      [{ a: 1 }, {}],
      [[1, 2], [1]],
      [[], {}],
      [false, undefined],
      [new Made(), new Made()],
      [() => 1, () => 1],
      [{}, null],
    ])
      expect(equalValues(one, other), `${String(one)} and ${String(other)}`).toBe(false);
  });

  it("that contain themselves differ, instead of going on for ever", () => {
    const cyclic = () => {
      const value: Record<string, unknown> = {};
      value["self"] = value;
      return value;
    };
    expect(equalValues(cyclic(), cyclic())).toBe(false);
  });
});
