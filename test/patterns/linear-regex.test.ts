import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { linearRegex } from "../../src/patterns/linear-regex.ts";
import { onePassProgram } from "../../src/patterns/one-pass.ts";
import { PatternReader } from "../../src/patterns/pattern-items.ts";
import { requiredTexts } from "../../src/patterns/required-text.ts";

const part = fc.constantFrom(
  ..."a b / - . \\. \\/ \\- \\d \\w \\s \\D \\S \\b \\n \\x41 [ab] [^/] [a-c] [^a-] [b-a] [a\\d] [\\s-] [[:alpha:]] [^\\w] (a) (?:ab) (?P<x>b) (?<y>a) (a|b) (?:ab)+ (ab)? ) ( | ^ $ .* .+ [^/]+ \\d+ a? (?i) { } {2} é".split(
    " ",
  ),
);
const count = fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "{,2}", "{0}", "{3,1}", "*?", "+?", "**", "{2}?");
const pattern = fc
  .tuple(fc.constantFrom("", "", "^"), fc.array(fc.tuple(part, count), { maxLength: 5 }), fc.constantFrom("", "", "$"))
  .map(([begin, parts, end]) => begin + parts.map((each) => each.join("")).join("") + end);
const text = fc
  .array(fc.constantFrom(..."a b c A / - . 1 _ x \n é 😀 \v ab aab".split(/ /)), { maxLength: 7 })
  .map((parts) => parts.join(""));

const isOnePass = (source: string): boolean => {
  const items = new PatternReader(source).read();
  return items !== undefined && onePassProgram(items) !== undefined;
};

describe("a linear expression", () => {
  test("matches what RE2 matches, and is refused where RE2 refuses it", () => {
    let [onePass, matched] = [0, 0];
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 8 }), (source, texts) => {
        let expected: RE2JS;
        try {
          expected = RE2JS.compile(source);
        } catch {
          expect(() => linearRegex(source), source).toThrow("the regular expression is wrong");
          return;
        }
        const regex = linearRegex(source);
        expect(regex.groups, source).toBe(expected.groupCount());
        const { beginning, longest } = requiredTexts(source);
        for (const each of texts) {
          const matches = expected.matches(each);
          expect(regex.matches(each), `${source} and ${JSON.stringify(each)}`).toBe(matches);
          if (!matches) continue;
          expect(each.startsWith(beginning) && each.includes(longest), `${source} requires ${beginning} and ${longest} of ${each}`).toBe(
            true,
          );
          if (isOnePass(source)) matched++;
        }
        if (isOnePass(source)) onePass++;
      }),
      { numRuns: 6_000 },
    );
    expect(onePass).toBeGreaterThan(500);
    expect(matched).toBeGreaterThan(50);
  });

  test.each([
    "/p-17/[0-9]+",
    "/api/v[0-9]+/users/([^/]+)/orders",
    "^/x/.*\\.php$",
    "/[a-z]{2}/(?P<id>\\d+)/?",
    "/v[0-9]+/[^/]+/page-17/.*",
  ])("that leaves no choice is matched in one pass: %s", (source) => {
    expect(isOnePass(source)).toBe(true);
  });

  test.each(["a|b", ".*a.*", "[a-z]*[a-c]x?", "(a|b)+", "(?i)a", "a\\b", "[[:alpha:]]"])(
    "that leaves one has an automaton: %s",
    (source) => {
      expect(isOnePass(source)).toBe(false);
    },
  );

  test("requires the texts that it has in every case", () => {
    expect(requiredTexts("/api/v[0-9]+/users/([^/]+)/(a|b)")).toEqual({ beginning: "/api/v", longest: "/users/" });
    expect(requiredTexts("/ab?/c+d")).toEqual({ beginning: "/a", longest: "/a" });
    expect(requiredTexts("a|b")).toEqual({ beginning: "", longest: "" });
    expect(requiredTexts("(/x)?/long-enough")).toEqual({ beginning: "", longest: "/long-enough" });
  });

  test("replaces all that it matches", () => {
    expect(linearRegex("/v([0-9])").replaceAll("/v1/a/v2", "/$1")).toBe("/1/a/2");
  });
});
