import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/reference/threats.md"), "utf8");
const rows = [...page.matchAll(/^\| (T\d\d) \| .* \| `(test\/threat\/[\w-]+\.test\.ts)` \|$/gm)].map(([, row = "", file = ""]) => ({
  row,
  file,
}));
const files = readdirSync(join(root, "test/threat")).filter((name) => name.endsWith(".test.ts"));
const textOf = (file: string): string => readFileSync(join(root, file), "utf8");

it("each row of the table of threats has tests with its number in the file that it names", () => {
  expect(rows.length).toBeGreaterThan(40);
  // Those of certificates have their numbers in the table that the test goes through.
  const found = rows.filter(
    ({ row, file }) => ![textOf(file), textOf("test/threat/odd-certificates.ts")].some((text) => text.includes(`"${row}`)),
  );
  expect(found).toEqual([]);
});

it("each number in a test of threats is a row of the table, and each row is there once", () => {
  const numbers = rows.map(({ row }) => row);
  const tested = files.flatMap((file) => [...textOf(`test/threat/${file}`).matchAll(/"(T\d\d):/g)].map(([, row = ""]) => row));
  expect([...new Set(tested)].filter((row) => !numbers.includes(row))).toEqual([]);
  expect(numbers).toEqual([...new Set(numbers)].sort());
});
