import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { brokenLinksOf } from "./links.ts";
import { readPage } from "./markdown.ts";
import { readPages, root } from "./pages.ts";

describe("the docs", () => {
  it("have no link that leads nowhere", () => {
    const pages = readPages();
    expect(pages.size).toBeGreaterThan(2);
    expect(brokenLinksOf(pages, (path) => existsSync(join(root, path)))).toEqual([]);
  });

  it("have the same five parts on every page about an adapter, a picker or a policy", () => {
    const parts = ["When", "Use", "Options and defaults", "What it reports", "Pitfalls"];
    const isOfKind = (path: string) => /^docs\/reference\/(discovery|pickers|balancing|policies)\/(?!README\.md|which\.md)/.test(path);
    const pages = [...readPages()].filter(([path]) => isOfKind(path));
    expect(pages.length).toBeGreaterThan(25);
    for (const [path, { headings }] of pages) {
      const found = headings.filter(({ level }) => level === 2).map(({ text }) => text);
      expect(found, path).toEqual(parts);
      expect(headings[0]?.level, path).toBe(1);
    }
  });
});

describe("looking for broken links", () => {
  const other = ["# Other", "", "## A `code` part: yes, *really*", "", "## Twice", "", "## Twice"].join("\n");
  const broken = (text: string) =>
    brokenLinksOf(
      new Map([
        ["docs/page.md", readPage(`# Page\n\n${text}\n`)],
        ["docs/deep/other.md", readPage(other)],
      ]),
      (path) => path === "src/index.ts" || path === "docs/picture.svg",
    );

  it.each([
    "[a](deep/other.md)",
    "[a](deep/other.md#a-code-part-yes-really)",
    "[a](deep/other.md#twice-1)",
    "[a](#page)",
    "[a](../src/index.ts)",
    "![a](picture.svg)",
    '<img src="picture.svg" alt="a">',
    "[![a](picture.svg)](https://example.com)",
    "[a](https://example.com/nowhere)",
    "[the API](api/index.html)",
    "`[a](nowhere.md)`",
    "```md\n[a](nowhere.md)\n```",
  ])("finds nothing wrong with %s", (text) => {
    expect(broken(text)).toEqual([]);
  });

  it.each([
    ["[a](nowhere.md)", "no such file"],
    ["see [a](other.md) and [b](deep/other.md)", "no such file"],
    ["[a]: nowhere.md", "no such file"],
    ["![a](nowhere.svg)", "no such file"],
    ['<img src="nowhere.svg" alt="a">', "no such file"],
    ["[a](deep/other.md#twice-2)", "no such heading"],
    ["[a](#nowhere)", "no such heading"],
    ["[a](/docs/page.md)", "slash"],
    ["[a](../../elsewhere.md)", "leaves"],
    ["[a](../src/index.ts#L12)", "lines move"],
  ])("finds what is wrong with %s", (text, reason) => {
    const found = broken(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^docs\/page\.md:3: /);
    expect(found[0]).toContain(reason);
  });
});
