import { describe, expect, it } from "vitest";
import { SecondAnswer } from "../../../src/discovery/dns/second-answer.ts";

const set = (ids: string) => [...ids].map((id) => ({ id, host: "10.0.0.1", port: 80 }));
/** For each answer whether it is certain; `?` after one that awaits a second. */
function said(...answers: readonly string[]): readonly string[] {
  const doubt = new SecondAnswer();
  return answers.map((ids) => `${doubt.confirms(set(ids))}${doubt.isOpen ? "?" : ""}`);
}

describe("a second answer without most of the known addresses", () => {
  it("is certain, and the first one is not", () => {
    expect(said("abcdefgh", "ab", "ab", "ab")).toEqual(["false", "false?", "true", "false"]);
  });

  it("is not awaited where the loss is small", () => {
    expect(said("abcdefgh", "abcd", "abc")).toEqual(["false", "false", "false"]);
  });

  it("ends the doubt where it lists them again, and the next loss begins another", () => {
    expect(said("abcdefgh", "ab", "abcdefgh", "ab", "abc")).toEqual(["false", "false?", "false", "false?", "true"]);
  });

  it("is never one that lists nothing, nor one after it", () => {
    expect(said("abcdefgh", "", "", "", "ab", "", "ab", "ab")).toEqual([
      "false",
      "false",
      "false",
      "false",
      "false?",
      "false",
      "false?",
      "true",
    ]);
  });
});
