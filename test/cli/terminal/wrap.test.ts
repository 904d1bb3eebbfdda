import { expect, it } from "vitest";
import { wrapped } from "../../../src/cli/terminal/wrap.ts";

it("breaks a line at its spaces, which begin no line", () => {
  expect(wrapped("one two  three four five", 14, "> ")).toEqual(["one two  three", "> four five"]);
  expect(wrapped("  one two three four", 14, "> ")).toEqual(["  one two", "> three four"]);
});

it("breaks a word that is longer than a line", () => {
  expect(wrapped("a".repeat(20), 12, "> ")).toEqual(["a".repeat(12), `> ${"a".repeat(8)}`]);
});

it("takes time in proportion to a text, also to one of spaces", () => {
  const costOf = (spaces: number): number => {
    const text = `a${" ".repeat(spaces)}`;
    const before = process.cpuUsage();
    expect(wrapped(text, 40)).toEqual(["a"]);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  costOf(1_000);
  // Half a second and more where each space is tried as the first of a gap.
  expect(Math.min(costOf(40_000), costOf(40_000))).toBeLessThan(150);
});
