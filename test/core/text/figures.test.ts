import { expect, test } from "vitest";
import { figuresLine } from "../../../src/core/text/figures.ts";

test.each([
  [{ cost: 25.249, load: 2, pool: "cold" }, "cost 25.2, load 2, pool cold"],
  [{ ageMs: 123_456, failureRatio: 0.000_012_34 }, "ageMs 123000, failureRatio 0.0000123"],
  [{}, ""],
])("figures are written in one line, with three digits: %j", (figures, line) => {
  expect(figuresLine(figures)).toBe(line);
});
