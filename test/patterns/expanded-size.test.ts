import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expandedSize } from "../../src/patterns/expanded-size.ts";
import { linearRegex } from "../../src/patterns/linear-regex.ts";

describe("the size of an expression, before it is compiled", () => {
  test.each([
    ["abc", 3],
    ["a{3}", 3],
    ["a{2,5}b", 6],
    ["a{4,}", 4],
    ["(ab){3}", 12],
    ["(a{10}){10}", 120],
    ["[a-z]{7}", 7],
    ["[]a{9}]{2}", 2],
    ["[^\\]{9}]{2}", 2],
    ["\\{9}", 3],
    ["a{x}", 4],
    ["(?:a|b){3}", 21],
  ])("of %s is %i", (source, size) => {
    expect(expandedSize(source)).toBe(size);
  });

  const atom = fc.constantFrom("a", "b", ".", "[a-c]", "[]x]", "[^\\]]", "\\d", "\\.", "é");
  const counts = fc.constantFrom("", "", "*", "+", "?", "{2}", "{0,3}", "{1,7}", "{5,}");
  const { expression } = fc.letrec<{ expression: string; group: string }>((tie) => ({
    group: fc.tuple(tie("expression"), fc.constantFrom("", "?:")).map(([inner, kind]) => `(${kind}${inner})`),
    expression: fc
      .array(
        fc.tuple(fc.oneof({ depthSize: "small" }, atom, tie("group")), counts).map((pair) => pair.join("")),
        { minLength: 1, maxLength: 4 },
      )
      .map((parts) => parts.join("")),
  }));

  test("is at least a fourth of what is compiled, whatever is repeated in whatever", () => {
    fc.assert(
      fc.property(expression, (source) => {
        fc.pre(source.length <= 1_024 && expandedSize(source) <= 4_096);
        let size = 0;
        try {
          ({ size } = linearRegex(source));
        } catch (error) {
          // RE2 refuses more than a thousand repetitions, also of groups in groups.
          expect(String(error)).toContain("invalid repeat count");
        }
        expect(expandedSize(source) * 4 + 16).toBeGreaterThanOrEqual(size);
      }),
      { numRuns: 500 },
    );
  });
});
