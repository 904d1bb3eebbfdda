import type { Page } from "../docs/markdown.ts";
import { type Finding, findingAt, type Paragraph } from "./paragraphs.ts";

/** The options of each group, by the path of the group: `retry.budget` → `ratio`, `minRetriesPerSecond`. `init.mesh` is a group too. */
export type OptionGroups = ReadonlyMap<string, ReadonlySet<string>>;

/** Reads the groups of docs/reference/options.md. */
export function optionGroupsOf({ headings, prose }: Page): OptionGroups {
  const ofLevel = new Map([["A call", "init.mesh"]]);
  const groups = headings.flatMap(({ text, level, line }, index) => {
    const group = level === 3 ? text : ofLevel.get(text);
    if (group === undefined) return [];
    const rows = prose.slice(line, (headings[index + 1]?.line ?? prose.length + 1) - 1);
    const options = rows.flatMap((row) => /^\| \[?`(\w+)`/.exec(row)?.[1] ?? []);
    return [[group, new Set(options)] as const];
  });
  return new Map(groups);
}

/** Options in `code` that their group does not have: `retry.attempts`, `init.mesh.deadline`. */
export function deadOptionsOf(paragraph: Paragraph, groups: OptionGroups): readonly Finding[] {
  return [...paragraph.text.matchAll(/`((?:[a-zA-Z]+\.)+)([a-zA-Z]+)(?=`|: )/g)].flatMap(({ 1: path = "", 2: option = "", index }) => {
    const options = groups.get(path.slice(0, -1));
    return options === undefined || options.has(option) ? [] : [findingAt(paragraph, index, `there is no option ${path}${option}`)];
  });
}
