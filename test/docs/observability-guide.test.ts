import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { committedRules, root } from "../assets/lint/assets.ts";
import { readPage } from "./markdown.ts";

const text = readFileSync(join(root, "docs/observability/guide.md"), "utf8");

describe("docs/observability/guide.md", () => {
  it("lists every alert, with its severity, how long it waits and its runbook", () => {
    const rows = [...text.matchAll(/^\| \[(\w+)\]\(runbooks\.md#(\w+)\) \| (\w+) \| (\w+) \|/gm)].map((row) => row.slice(1));
    const rules = committedRules("otlp")[1].groups.flatMap(({ rules: all }) => all);
    expect(rows).toEqual(rules.map(({ alert = "", labels, for: wait }) => [alert, alert.toLowerCase(), labels?.["severity"], wait]));
  });

  it("has the parts that every page has", () => {
    const parts = readPage(text).headings.filter(({ level }) => level === 2);
    expect(parts.map((part) => part.text)).toEqual(["When", "Use", "Options and defaults", "What it reports", "Pitfalls"]);
  });

  it("shows configurations that are YAML", () => {
    const blocks = readPage(text).blocks.filter(({ language }) => language === "yaml");
    expect(blocks).toHaveLength(2);
    for (const { code } of blocks) expect(parse(code)).toBeTypeOf("object");
  });
});
