import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJson } from "../../../src/core/json/json-scanner.ts";
import { resultOf } from "../../../src/core/json/steps.ts";

/** Reads with parts of this many bytes, so that a short text is read as a long one is. */
const read = (text: string, stride = 4): unknown => resultOf(readJson(Buffer.from(text), stride));

describe("JSON that is read in steps", () => {
  it("is what JSON.parse makes of it, wherever the parts end and however it is written", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 64 }), fc.constantFrom(undefined, 1, "\t", "\r\n"), (value, stride, space) => {
        const text = JSON.stringify(value, null, space);
        expect(read(text, stride)).toStrictEqual(JSON.parse(text));
      }),
    );
  });

  it("is refused where JSON.parse refuses it", () => {
    const pieces = fc.constantFrom("{", "}", "[", "]", ",", ":", '"a"', '"', "\\", "1", "-", "true", " ", "\n", "x", '{"a":1}', "[1,2]");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), fc.integer({ min: 1, max: 8 }), (parts, stride) => {
        const text = parts.join("");
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(() => read(text, stride)).toThrow("it is not JSON");
          return;
        }
        expect(read(text, stride)).toStrictEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it("keeps the last of two equal keys, and __proto__ as a key like any other", () => {
    const value = read('{"a":1,"__proto__":{"b":[1,2,3,4]},"a":2}') as object;
    expect(Object.entries(value)).toEqual([
      ["a", 2],
      ["__proto__", { b: [1, 2, 3, 4] }],
    ]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it("has a pause after every part, inside a string and between the values of a long list too", () => {
    const pauses = (text: string) => [...readJson(Buffer.from(text))].length;
    expect(pauses(`[${"[1,2,3],".repeat(50_000)}0]`)).toBeGreaterThan(50_000);
    expect(pauses(JSON.stringify(["x".repeat(1_000_000)]))).toBeGreaterThan(14);
    expect(pauses(JSON.stringify({ short: "x".repeat(60_000) }))).toBe(0);
  });

  it.each<[string, string, RegExp]>([
    ["deeper than 64", "[".repeat(1_000_000), /nested deeper than 64/],
    ["deeper than 64 beside other values", `[${"1,".repeat(100)}${'{"a":'.repeat(70)}`, /nested deeper than 64/],
    ["of more than two million values", `[${`[${"0,".repeat(30)}0],`.repeat(80_000)}0]`, /more than 2000000 values/],
    ["with an object or a list of more than 100,000 values", `[${"0,".repeat(100_000)}0]`, /a list of more than 100000 values/],
    ["with a string of more than 1 MiB", JSON.stringify(["x".repeat(2 ** 20 + 1)]), /a string of more than 1048576 bytes/],
    ["with more than a million spaces in a row", `[${" ".repeat(2 ** 20 + 1)}1]`, /more than 1048576 spaces/],
  ])("is refused when it is %s", (_what, text, message) => {
    expect(() => resultOf(readJson(Buffer.from(text)))).toThrow(message);
  });
});
