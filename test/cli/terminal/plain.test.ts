import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plain, plainLines } from "../../../src/cli/terminal/plain.ts";

/** Text with many of the characters that matter. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      "\u001b",
      "\u0007",
      "\r",
      "\n",
      "\u009b",
      "\u202e",
      "\u2066",
      "\u200b",
      "\ufeff",
      "\u2028",
      "\ud800",
      "\u{e0041}",
      "[2J",
      "]52;c;",
      "é",
      "漢",
    ),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
});

describe("plain text", () => {
  it("has nothing in it that a terminal would obey, or would not show", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(plain(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u);
        expect(plainLines(text)).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u);
      }),
      { numRuns: 2_000 },
    );
  });

  it("stays as it is where it is harmless, in any script, and the second time", () => {
    const harmless = fc.string({ unit: fc.constantFrom(..."aZ09 .-_/:{}\\é漢字🙂ß") });
    fc.assert(
      fc.property(harmless, hostile, (text, other) => {
        expect(plain(text)).toBe(text);
        expect(plain(plain(other))).toBe(plain(other));
      }),
    );
  });

  it("shows what it has taken the power of", () => {
    expect(plain("a\u001b[31mred\u0007\n\u202eb")).toBe("a\\u{1b}[31mred\\u{7}\\u{a}\\u{202e}b");
    expect(plainLines("a\r\nb")).toBe("a\\u{d}\nb");
  });
});
