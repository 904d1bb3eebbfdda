import { describe, expect, it } from "vitest";
import { defaultOf, optionGroups, withOptionsTables } from "../../docs/options-tables.ts";
import { textOf } from "./pages.ts";

const page = textOf("docs/reference/options.md");
const { levels, groups } = optionGroups();
const options = [...levels, ...groups].flatMap((group) => group.options);

describe("docs/reference/options.md", () => {
  it("has every option as its table and its comment have it (node docs/options-tables.ts --write)", () => {
    expect(page).toBe(withOptionsTables(page));
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
