import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { describeError, MeshError } from "../../../src/core/errors.ts";
import { cleanText, quoted } from "../../../src/core/text/clean-text.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be left
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const hostile = "users\r\n2026-11-29 INFO login of root accepted\u001b[2J\u009b31m\u202e\u2066\u2028\u200f\ufeff\u007f\0end";

/** Their templates make documents, keys and the texts of constants, and no messages. */
const documents = [
  "src/admin/event-streams.ts",
  "src/assets/dashboards.ts",
  "src/authorization/diff/headers.ts",
  "src/authorization/diff/policy-diff.ts",
  "src/discovery/dns/partial-answers.ts",
  "src/discovery/last-good/last-good-file.ts",
  "src/gateway/problem.ts",
  "src/routing/checks/target-rules.ts",
  "src/server/inbound/load/load-part.ts",
  "src/server/inbound/own-paths.ts",
];

describe("cleanText", () => {
  it("leaves text as it is that forges and hides nothing", () => {
    for (const text of ["", "plain text", 'größer “…” → 東京 🙂 \\n "x"']) expect(cleanText(text)).toBe(text);
  });

  it("puts text on one line, and writes what is not to be seen with its number", () => {
    expect(cleanText("a\r\n\tb\u2028c")).toBe("a b c");
    expect(cleanText("\u001b[2J\u009b\u202e\u{e0041}")).toBe("\\u{1b}[2J\\u{9b}\\u{202e}\\u{e0041}");
    expect(unsafe.test(cleanText(hostile))).toBe(false);
  });

  it("takes linear time", () => {
    expect(cleanText("\u001b".repeat(100_000))).toHaveLength(600_000);
  });
});

describe("quoted", () => {
  it("quotes as JSON does, on one line and of bounded length", () => {
    expect(quoted("a b")).toBe('"a b"');
    expect(quoted(undefined)).toBe("undefined");
    expect(unsafe.test(quoted(hostile))).toBe(false);
    expect(quoted("x".repeat(10_000)).length).toBeLessThan(210);
  });
});

describe("messages of errors", () => {
  it("are clean, whatever name, answer or cause they quote", () => {
    expect(unsafe.test(new MeshError("ERR_MESH_DISCOVERY", `no answer for ${hostile}`).message)).toBe(false);
    expect(unsafe.test(describeError(new Error(hostile)))).toBe(false);
    expect(unsafe.test(describeError(Object.assign(new Error(""), { name: hostile, code: "E" })))).toBe(false);
    expect(unsafe.test(describeError(hostile))).toBe(false);
  });

  it("quote values by `quoted`, and not by JSON, which leaves C1 controls and changes of direction", async () => {
    const found: string[] = [];
    for await (const path of glob("src/**/*.ts")) {
      // The command's terminal cleans all that it shows; the page is a document.
      if (/^src\/(cli|admin\/page|testing\/contract)\//.test(path) || documents.includes(path)) continue;
      const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
      const visit = (node: ts.Node): void => {
        const isMessage = ts.isTemplateSpan(node) || (ts.isNewExpression(node) && /Error$/.test(node.expression.getText()));
        if (isMessage && node.getText().includes("JSON.stringify(")) {
          found.push(`${path}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
        }
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
    expect(found).toEqual([]);
  });
});
