import { describe, expect, it } from "vitest";
import { meshErrorCodes } from "../../src/core/errors.ts";
import { readPage } from "./markdown.ts";
import { textOf } from "./pages.ts";

/** The sections of the page by their heading: the first paragraph, and the bold words that begin the others. */
function sectionsOf(text: string): ReadonlyMap<string, { readonly first: string; readonly parts: readonly string[] }> {
  const { headings, prose } = readPage(text);
  const second = headings.filter(({ level }) => level === 2);
  return new Map(
    second.map(({ text: title, line }, index) => {
      const body = prose.slice(line, (second[index + 1]?.line ?? prose.length + 1) - 1).join("\n");
      const paragraphs = body.trim().split(/\n\s*\n/);
      const parts = paragraphs.slice(1).flatMap((paragraph) => /^\*\*(.+?)\*\*/.exec(paragraph)?.[1] ?? []);
      return [title, { first: (paragraphs[0] ?? "").replace(/\s+/g, " "), parts }];
    }),
  );
}

describe("docs/reference/errors.md", () => {
  const sections = sectionsOf(textOf("docs/reference/errors.md"));

  it("lists exactly the codes that there are, in their order", () => {
    expect([...sections.keys()].filter((title) => title.startsWith("ERR_"))).toEqual(Object.keys(meshErrorCodes));
  });

  it.each(Object.entries(meshErrorCodes))("says of %s what the code says, why it comes and what to do", (code, meaning) => {
    expect(sections.get(code)).toEqual({ first: meaning, parts: ["Typical causes.", "What to do."] });
  });

  it("names no code that does not exist", () => {
    const named = new Set(textOf("docs/reference/errors.md").match(/ERR_MESH_[A-Z_]*[A-Z]/g));
    expect([...named].filter((code) => !Object.hasOwn(meshErrorCodes, code))).toEqual([]);
  });
});
