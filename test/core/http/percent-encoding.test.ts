import { expect, it } from "vitest";
import { percentDecoded } from "../../../src/core/http/percent-encoding.ts";

it("decodes what is percent-encoded UTF-8, and nothing else", () => {
  expect(["a%20b", "%E4%B8%AD", "plain", "%E0%A4%A", "100%"].map(percentDecoded)).toEqual(["a b", "中", "plain", undefined, undefined]);
});
