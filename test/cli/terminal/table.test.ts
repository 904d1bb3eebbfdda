import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Column, table } from "../../../src/cli/terminal/table.ts";
import { widthOf } from "../../../src/cli/terminal/width.ts";

const columns: readonly Column<readonly [string, string]>[] = [
  { title: "NAME", cell: ([name]) => name },
  { title: "COUNT", align: "right", cell: ([, count]) => count },
  { title: "MORE", isWide: true, cell: ([name]) => name },
];

// Every kind of character, without the second that fast-check takes to list all of them.
const cell = fc.string({ unit: fc.constantFrom("\u001b", "\n", "\r", "\u202e", "\u0301", "\u2028", "\ud800", "a", " ", "漢", "🙂") });

describe("a table", () => {
  it("aligns its columns, wide characters counting twice", () => {
    expect(
      table(
        columns,
        [
          ["orders", "7"],
          ["漢字", "12"],
        ],
        false,
      ),
    ).toEqual(["NAME    COUNT", "orders      7", "漢字       12"]);
  });

  it("shows more columns, and whole cells, when it may be wide", () => {
    const long = "x".repeat(200);
    const [, narrow = ""] = table(columns, [[long, "1"]], false);
    expect(narrow).toContain(`${"x".repeat(59)}…`);
    expect(narrow).not.toContain("x".repeat(60));
    expect(table(columns, [[long, "1"]], true)[1]).toBe(`${long}      1  ${long}`);
  });

  it("has one line for each row, whatever is in the cells", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 5 }), (rows) => {
        const lines = table(columns, rows, false);
        expect(lines).toHaveLength(rows.length + 1);
        expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
    );
  });

  it("paints cells after they were padded", () => {
    const painted = table(
      [{ title: "A", cell: ([name]) => name, paint: (text) => `<${text}>` }, columns[1] as Column<readonly [string, string]>],
      [["x", "1"]],
      false,
    );
    expect(painted).toEqual(["A  COUNT", "<x>      1"]);
  });

  it("knows how much room a text takes", () => {
    expect(["abc", "漢", "🙂", "e\u0301", "ß"].map(widthOf)).toEqual([3, 2, 2, 1, 1]);
  });
});
