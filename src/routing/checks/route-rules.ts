import { type MayBeAbsent, oneOrMore, part } from "../../core/settings/composite-rules.ts";
import { type OptionTable, optionTable } from "../../core/settings/option-table.ts";
import { text } from "../../core/settings/rules.ts";
import { quoted } from "../../core/text/clean-text.ts";
import { parseTemplate, templateNames } from "../matching/template.ts";
import type { Route } from "../route.ts";
import type { PathMatch, RouteMatch } from "../route-match.ts";
import { checkRouteOptions, type RouteOptions, routeOptionTables } from "../route-options.ts";
import { answerRule, redirectRule, rewriteRule } from "./action-rules.ts";
import { faultRule, mirrorRule } from "./copy-rules.ts";
import { headerChanges, responseChanges } from "./header-rules.ts";
import { checkOneOf, matchRule } from "./match-rules.ts";
import { hashKeyRule, splitRule, targetRule } from "./target-rules.ts";

const optionsRule: MayBeAbsent<RouteOptions> = {
  type: "object",
  default: undefined,
  defaultText: "those of the service",
  table: { rules: Object.assign({}, ...routeOptionTables.map(({ rules }) => rules)) },
  check: checkRouteOptions,
};

const routeTable: OptionTable<Route> = optionTable<Route>()({
  name: text("its place, `routes[3]`"),
  match: oneOrMore(matchRule),
  to: targetRule,
  split: splitRule,
  redirect: redirectRule,
  respond: answerRule,
  rewrite: rewriteRule,
  requestHeaders: headerChanges,
  responseHeaders: responseChanges,
  hashKey: oneOrMore(hashKeyRule),
  options: optionsRule,
  mirror: oneOrMore(mirrorRule),
  fault: faultRule,
});

/** A rule of a table, with what concerns several of its parts. */
export const routeRule: MayBeAbsent<Route> = part(routeTable, checkWhole);

function checkWhole(option: string, route: Route): void {
  checkOneOf(option, route, ["to", "split", "redirect", "respond"], 0);
  for (const made of ["redirect", "respond"] as const) {
    if (route[made] === undefined) continue;
    for (const name of ["rewrite", "hashKey", "options", "mirror"] as const)
      if (route[name] !== undefined)
        throw new TypeError(`${option} has ${name} and ${made}: no instance gets the call, for which ${name} is`);
  }
  const matches = [route.match ?? {}].flat() as readonly RouteMatch[];
  for (const [index, { path }] of matches.entries()) {
    const of = Array.isArray(route.match) ? ` (match[${index}])` : "";
    checkPathChange(`${option}.rewrite`, route.rewrite, path, of);
    checkPathChange(`${option}.redirect`, route.redirect, path, of);
  }
}

/** A change of the path must be possible for each match. */
function checkPathChange(option: string, change: Route["rewrite"] | Route["redirect"], path: PathMatch | undefined, of: string): void {
  if (change?.prefix !== undefined && !(path !== undefined && ("prefix" in path || "begins" in path)))
    throw new TypeError(
      `${option}.prefix takes the place of the prefix that matched, and the rule matches none${of}: match.path needs prefix or begins`,
    );
  const names = [...(change?.path ?? "").matchAll(/\{(\w*)\}/g)].map(([, name]) => name as string);
  if (/[{}]/.test((change?.path ?? "").replaceAll(/\{\w+\}/g, "")))
    throw new TypeError(`${option}.path ${quoted(change?.path)} has a brace that stands for no name`);
  if (names.length === 0) return;
  const known = path !== undefined && "template" in path ? templateNames(parseTemplate(path.template)) : [];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const has = known.length === 0 ? "the rule matches no template" : `the template has ${known.map((name) => `{${name}}`).join(", ")}`;
  throw new TypeError(`${option}.path has {${unknown}}, and ${has}${of}`);
}
