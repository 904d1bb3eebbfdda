import { expect, test } from "vitest";
import { withOptionsTables } from "../../docs/options-tables.ts";
import { textOf } from "./pages.ts";

const page = textOf("docs/reference/options.md");

test("docs/reference/options.md has every option as its type declares it (node docs/options-tables.ts --write)", () => {
  expect(page).toBe(withOptionsTables(page));
});

test("every option in the tables has a meaning", () => {
  // A variant of a union is described by its page, not by a sentence.
  const rows = page.split("\n").filter((line) => /^\| \[?`/.test(line) && !line.startsWith("| `type` |"));
  expect(rows.length).toBeGreaterThan(80);
  expect(rows.filter((row) => /\| {1,2}\|$/.test(row))).toEqual([]);
});
