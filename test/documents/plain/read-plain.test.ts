import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FindPlace, PartPath } from "../../../src/documents/part-path.ts";
import { readPlain } from "../../../src/documents/plain/read-plain.ts";
import { contentOf, readByPackage } from "../../../src/documents/read-document.ts";
import { yamlSeeds } from "../../support/yaml-seeds.ts";

class Fault extends Error {}
const kind = { name: "file", whenEmpty: "it needs something", Fault };

/** Everything that stands in a document: each path with its value's place, and its name's. */
function placesOf(value: unknown, placeOf: FindPlace, path: PartPath = []): unknown[] {
  const here = [path, placeOf(path), placeOf(path, true)];
  if (typeof value !== "object" || value === null) return [here];
  const below = Array.isArray(value) ? value.map((each, index) => [index, each] as const) : Object.entries(value);
  return [here, ...below.flatMap(([name, each]) => placesOf(each, placeOf, [...path, name]))];
}

/** Compares with the package; returns whether the text is plain. */
function compare(text: string): boolean {
  let content: string;
  try {
    content = contentOf(text, "x", kind);
  } catch {
    return false;
  }
  const plain = readPlain(content);
  if (plain === undefined) return false;
  const whole = readByPackage(content, "x", kind);
  expect(plain.value, text).toStrictEqual(whole.value);
  expect(placesOf(plain.value, plain.placeOf), text).toEqual(placesOf(whole.value, whole.placeOf));
  // Parts that are not there.
  for (const path of [["none"], ["a", "none"], ["routes", 0, "none", 1], ["routes", 9]] as PartPath[])
    for (const isKey of [false, true]) expect(plain.placeOf(path, isKey), text).toEqual(whole.placeOf(path, isKey));
  return true;
}

const word = fc.constantFrom(
  ...'a b c1 1 -1 +2 0.5 .5 5. 1e3 -0 0x1f 0o7 .inf true False ~ null Null - ? : -a ?a :a a: a:b a#b # #c \'x\' \'x\'\'y\' "x" "\\"" "\\n" "\\u0041" "\\x41" "a: b" \'# c\' \'x\'y "x"y , [ ] { } & * &a *a ! !t | > |- % @ ` --- ... << __proto__ http://x:80 /a/{b} é 😀 \\ 10.0.0.1 5s $x ='.split(
    " ",
  ),
  "a b",
  "a  b",
  "\t",
  "\r",
  " ",
  "",
);
const line = fc
  .tuple(
    fc.nat({ max: 6 }),
    fc.array(fc.constantFrom("- ", "-", "a: ", "b: ", '"c": ', "d:", "e :", ""), { maxLength: 3 }),
    fc.array(word, { maxLength: 3 }),
  )
  .map(([indent, marks, words]) => `${" ".repeat(indent)}${marks.join("")}${words.join(" ")}`);

describe("plain YAML", () => {
  test("is read as the package reads it, whatever the lines are", () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), fc.boolean(), (lines, ends) => {
        compare(lines.join("\n") + (ends ? "\n" : ""));
      }),
      { numRuns: 4_000 },
    );
  });

  test("is read as the package reads it, whatever is changed in files", () => {
    const change = fc.tuple(
      fc.nat({ max: 900 }),
      fc.nat({ max: 12 }),
      fc.oneof(word, fc.constantFrom("\n", "\n  ", "  ", ": ", "- ", ",", "}", "]", "\n- ", "{", "[", " #")),
    );
    let plain = 0;
    fc.assert(
      fc.property(fc.constantFrom(...yamlSeeds), fc.array(change, { minLength: 1, maxLength: 3 }), (seed, changes) => {
        const text = changes.reduce((before, [at, gone, come]) => {
          const from = at % before.length;
          return before.slice(0, from) + come + before.slice(from + (gone > 4 ? 0 : gone));
        }, seed);
        if (compare(text)) plain++;
      }),
      { numRuns: 3_000 },
    );
    expect(plain).toBeGreaterThan(100);
  });

  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(word, fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.string()),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(fc.oneof(word, fc.string({ minLength: 1, maxLength: 5 })), tie("any"), { maxKeys: 3 }),
    ),
  })).any;

  test("has all of JSON that has no escapes by numbers, as the package reads it", () => {
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, 2), (each, indent) => {
        compare(JSON.stringify({ each }, undefined, indent));
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ["a: 1\nb:\n  - c\n  - d: e\n", { a: 1, b: ["c", { d: "e" }] }],
    ["- a\n-   b: 1\n    c: [x, {y: z}]\n", ["a", { b: 1, c: ["x", { y: "z" }] }]],
    ["a:\n- 1\n- 2\nb: {c: 'd'}\n", { a: [1, 2], b: { c: "d" } }],
    ['{"a":[1,{"b":"c\\n"}],\n"d":true}', { a: [1, { b: "c\n" }], d: true }],
    ["---\n# x\n\na: b # c\n\n# d", { a: "b" }],
  ])("is what it should be: %j", (text, expected) => {
    expect(readPlain(text)?.value).toEqual(expected);
    compare(text);
  });

  test.each([
    "a: |\n  b\n",
    "a: &b c\n",
    "a: *b\n",
    "a: !b c\n",
    "a: b\n  c\n",
    "a: 'b\n  c'\n",
    "a:\n",
    "a: b: c\n",
    "a: 1\na: 2\n",
    "__proto__: 1\n",
    "a\n",
    "? a\n: b\n",
    "a: b\n---\nc: d\n",
    "--- : a\n",
    "# a\n---\na: b\n",
    "%YAML 1.2\n---\na: b\n",
    "a: [b\n]\n",
    "a: [b c\n  d]\n",
    "a: [b: c]\n",
    "a: {b}\n",
    "a:\tb\n",
    "a: b\r\n",
    "a: 0x10\n",
    'a: "\\x41"\n',
    `${"a".repeat(1_100)}: b\n`,
  ])("is left to the package where it is more than plain: %j", (text) => {
    expect(readPlain(text)).toBeUndefined();
  });
});
