import { expect, it } from "vitest";
import { withoutHyphensAround } from "../../../src/core/text/hyphens.ts";

it.each([
  ["", ""],
  ["-", ""],
  ["---", ""],
  ["a-b", "a-b"],
  ["--a--b-", "a--b"],
])("hyphens around %j leave %j", (text, left) => {
  expect(withoutHyphensAround(text)).toBe(left);
});
