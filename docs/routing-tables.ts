// node docs/routing-tables.ts [--write]: the tables of docs/reference/routing.md, from the rules that check routes in src with the doc comments of the
// interfaces; with --write it puts them in their place there.
import { readFileSync, writeFileSync } from "node:fs";
import type { OptionRule } from "../src/core/settings/option-rule.ts";
import { routeRule } from "../src/routing/checks/route-rules.ts";
import { withPart } from "./marked-part.ts";
import { OptionComments, programOf } from "./option-comments.ts";
import { type DocumentedOption, tableOf } from "./options-tables.ts";

const page = new URL("reference/routing.md", import.meta.url);
const begin = "<!-- tables: written by docs/routing-tables.ts -->";
const end = "<!-- end of tables -->";

/** Parts that a page of their own tells of. */
const elsewhere: ReadonlySet<string> = new Set(["options"]);

/** A part of a rule, and the parts in it. */
interface RoutePart {
  readonly title: string;
  readonly fields: readonly DocumentedOption[];
}

/** The fields of a rule and of its parts, depth first; of a table that several parts have, the first place. */
export function routeParts(): readonly RoutePart[] {
  const file = "src/routing/route.ts";
  return partsOf("", routeRule, new OptionComments(programOf([file]), file, "Route"), new Map());
}

function partsOf(title: string, rule: OptionRule<unknown>, comments: OptionComments, shown: Map<object, string>): readonly RoutePart[] {
  const table = tableIn(rule);
  if (table === undefined || elsewhere.has(title) || shown.has(table)) return [];
  shown.set(table, title);
  const inner: RoutePart[] = [];
  const fields = Object.entries(table.rules).map(([name, field]): DocumentedOption => {
    const path = title === "" ? [name] : [...title.split("."), name];
    inner.push(...partsOf(path.join("."), field, comments, shown));
    const place = shown.get(tableIn(field) ?? field);
    return { path: place ?? path.join("."), name, rule: place === undefined ? withoutTable(field) : linked(field), ...comments.of(path) };
  });
  return [{ title, fields }, ...inner];
}

/** The rule of a field whose parts stand on a page of their own. */
function withoutTable(rule: OptionRule<unknown>): OptionRule<unknown> {
  return { ...rule, table: undefined };
}

/** The table of a group, of the elements of a list, or of the values by names. */
function tableIn(rule: OptionRule<unknown>): OptionRule<unknown>["table"] {
  return rule.table ?? rule.items?.table ?? rule.values?.table;
}

/** The rule of a field, whose parts the table of the field names, wherever they are in its value. */
function linked(rule: OptionRule<unknown>): OptionRule<unknown> {
  return { ...rule, table: tableIn(rule) };
}

function routingTables(parts: readonly RoutePart[]): string {
  return parts
    .flatMap(({ title, fields }) => [...(title === "" ? [] : [`### ${title}`, ""]), ...tableOf(fields), ""])
    .join("\n")
    .trimEnd();
}

/** The text of `docs/reference/routing.md` with the tables as they should be. */
export function withRoutingTables(text: string, parts: readonly RoutePart[] = routeParts()): string {
  return withPart(text, begin, end, routingTables(parts));
}

if (import.meta.main) {
  if (process.argv.includes("--write")) writeFileSync(page, withRoutingTables(readFileSync(page, "utf8")));
  else process.stdout.write(`${routingTables(routeParts())}\n`);
}
