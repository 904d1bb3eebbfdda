import fc from "fast-check";
import { expect, test } from "vitest";
import { TextIndex } from "../../../src/routing/matching/text-index.ts";

function told(index: TextIndex<number>, method: string, path: string): number[] {
  const found: number[] = [];
  index.find(method, path, { visit: (entries) => found.push(...entries) });
  return found.sort((one, other) => one - other);
}

test("an index of texts tells of each entry whose text a path has, once", () => {
  const unit = fc.constantFrom("a", "b", "/");
  const texts = fc.array(fc.string({ unit, minLength: 1, maxLength: 5 }), { maxLength: 8 });
  const paths = fc.array(fc.string({ unit, maxLength: 14 }));
  fc.assert(
    fc.property(texts, paths, (wanted, asked) => {
      const index = new TextIndex<number>();
      for (const [entry, each] of wanted.entries()) index.add(entry, undefined, each);
      for (const path of asked) {
        const expected = wanted.flatMap((each, entry) => (path.includes(each) ? [entry] : []));
        expect(told(index, "GET", path)).toEqual(expected);
      }
    }),
  );
});

test("an index of texts takes entries after it was asked, and knows their methods", () => {
  const index = new TextIndex<number>();
  index.add(1, ["GET"], "she");
  expect(told(index, "GET", "/ushers")).toEqual([1]);
  index.add(2, undefined, "he");
  expect(told(index, "POST", "/ushers")).toEqual([2]);
  expect(told(index, "GET", "/ushers")).toEqual([1, 2]);
});
