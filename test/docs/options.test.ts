import { describe, expect, it } from "vitest";
import { defaultOf, optionGroups, withOptionsTables } from "../../docs/options-tables.ts";
import { readPages, textOf } from "./pages.ts";

const page = textOf("docs/reference/options.md");
const all = optionGroups();
const { levels, groups } = all;
const options = [...levels, ...groups].flatMap((group) => group.options);

describe("docs/reference/options.md", () => {
  it("has every option as its table and its comment have it (node docs/options-tables.ts --write)", () => {
    expect(page).toBe(withOptionsTables(page, all));
  });
});

describe("the comment of an option", () => {
  it("says what the option means", () => {
    expect(options.length).toBeGreaterThan(90);
    expect(options.filter(({ sentence }) => sentence === "").map(({ path }) => path)).toEqual([]);
  });

  it("has the default that its table has, under @default", () => {
    const claims = options.flatMap(({ path, rule, defaultTag }) =>
      defaultTag === undefined ? [] : [{ path, default: defaultTag.replaceAll("`", ""), table: defaultOf(rule) }],
    );
    expect(claims.length).toBeGreaterThan(60);
    expect(claims.filter((claim) => claim.default !== claim.table)).toEqual([]);
  });

  it("has an @default wherever there is a default, for editors to show", () => {
    // A group that is there without being given has its defaults inside.
    const isSilent = ({ rule }: (typeof options)[number]) =>
      (rule.table !== undefined && rule.default !== false) || ["must be given", "none"].includes(defaultOf(rule));
    const missing = options.filter((option) => option.defaultTag === undefined && !isSilent(option));
    expect(missing.map(({ path }) => path)).toEqual([]);
  });

  it("names no default outside of the tag", () => {
    expect(options.filter(({ sentence }) => /\bdefaults?\b/i.test(sentence)).map(({ path }) => path)).toEqual([]);
  });
});

/** The group whose options a page tells of by their names alone. */
const groupOfPage: Readonly<Record<string, string>> = {
  "docs/reference/policies/breaker.md": "breaker.",
  "docs/reference/policies/concurrency.md": "concurrency.",
  "docs/reference/policies/ejection.md": "ejection.",
  "docs/reference/policies/health-checks.md": "healthCheck.",
  "docs/reference/policies/hedging.md": "hedge.",
  "docs/reference/policies/retry.md": "retry.",
};

/** The group of a table, where it is in the heading. */
const groupInHeading = /^\| Option of `(\w+)(?:\(\))?` \|/;

/** Pages with tables of options of the mesh and of its services; tables of other pages are those of functions. */
const pagesOfOptions = /^README\.md$|^docs\/reference\/(connections\.md$|balancing\/|policies\/)/;

interface ClaimOnPage {
  readonly at: string;
  readonly path: string;
  readonly claimed: string;
}

/** Defaults in the tables of pages: literals in the second cell, beside options that there are. */
function claimsOnPages(defaults: ReadonlyMap<string, string>): readonly ClaimOnPage[] {
  return [...readPages()].flatMap(([page, { prose }]) => {
    if (!pagesOfOptions.test(page)) return [];
    let group = groupOfPage[page] ?? "";
    return prose.flatMap((line, index) => {
      const [, heading] = groupInHeading.exec(line) ?? [];
      if (heading !== undefined) group = `${heading}.`;
      const [, names = "", cell = ""] = /^\| ((?:`[\w.]+`(?:, )?)+) \| ([^|]+) \|/.exec(line) ?? [];
      const values = cell.split(/, (?=[\d`])/).map((value) => value.trim().replace(/(?<=\d)[ ,_](?=\d{3}\b)/g, ""));
      return [...names.matchAll(/`([\w.]+)`/g)].flatMap(([, name = ""], at) => {
        const claimed = values[at]?.replaceAll("`", "") ?? "";
        const isLiteral = /^(\d+(\.\d+)?|true|false|"\w+")$/.test(claimed);
        return defaults.has(group + name) && isLiteral ? [{ at: `${page}:${index + 1}`, path: group + name, claimed }] : [];
      });
    });
  });
}

describe("the tables of other pages", () => {
  it("have the defaults that the options have", () => {
    const ofMesh = [...levels.filter(({ title }) => title !== "A call"), ...groups].flatMap((group) => group.options);
    const defaults = new Map(ofMesh.map(({ path, rule }) => [path, defaultOf(rule)]));
    const claims = claimsOnPages(defaults);
    expect(claims.length).toBeGreaterThan(50);
    expect(claims.filter(({ path, claimed }) => defaults.get(path) !== claimed)).toEqual([]);
  });
});
