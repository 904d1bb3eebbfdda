import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const page = readFileSync("docs/reference/bounds.md", "utf8");
const rows = page
  .split("\n")
  .filter((line) => /^\| (?!-|collection)/.test(line))
  .map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );

describe("docs/reference/bounds.md", () => {
  it("has a bound, what happens beyond it and where that shows, for each collection", () => {
    expect(rows.length).toBeGreaterThan(15);
    for (const row of rows) {
      expect(row).toHaveLength(5);
      for (const cell of row) expect(cell).not.toBe("");
    }
  });

  it.each(rows.map((row) => [row[0] as string, row[4] as string]))("has the bound of the source for: %s", (_collection, place) => {
    const [, path, text] = /^`([^`]+)` `([^`]+)`$/.exec(place) ?? [];
    expect(path, place).toBeDefined();
    expect(readFileSync(`src/${path}`, "utf8")).toContain(text);
  });
});
