import { parseSpiffeId } from "../../core/peers/spiffe-id.ts";
import { refuseOption } from "../../core/settings/checks.ts";
import { type MayBeAbsent, named, oneOrMore, part, textOr } from "../../core/settings/composite-rules.ts";
import type { OptionRule } from "../../core/settings/option-rule.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { custom, flag, integer, number, text } from "../../core/settings/rules.ts";
import { quoted } from "../../core/text/clean-text.ts";
import { parseTemplate } from "../matching/template.ts";
import type { PathMatch, RouteMatch, TextMatch, VersionMatch } from "../route-match.ts";
import {
  checkMatchedHeader,
  faultOf,
  matchedHeader,
  matchedHost,
  matchedPath,
  methodName,
  patternText,
  rangeText,
  textWithout,
} from "./value-rules.ts";

/** All that a match of a path may have. */
interface PathParts {
  readonly exact?: string;
  readonly prefix?: string;
  readonly begins?: string;
  readonly template?: string;
  readonly pattern?: string;
  readonly ignoreCase?: boolean;
}

const pathTable = optionTable<PathParts>()({
  exact: matchedPath,
  prefix: matchedPath,
  begins: matchedPath,
  template: textWithout((given) => faultOf(() => parseTemplate(given))),
  pattern: patternText,
  ignoreCase: flag(false),
});

const pathRule = part(pathTable, (option, given) => {
  checkOneOf(option, given, ["exact", "prefix", "begins", "template", "pattern"]);
  if (given.template !== undefined && given.ignoreCase !== undefined) throw new TypeError(`${option}.ignoreCase is not for templates`);
}) as MayBeAbsent<PathMatch>;

/** Refuses a group that has none of these options, or several. */
export function checkOneOf(option: string, given: object, names: readonly string[], least = 1): void {
  const found = names.filter((name) => (given as Readonly<Record<string, unknown>>)[name] !== undefined);
  if (found.length > 1) throw new TypeError(`${option} has ${found.join(" and ")}, which exclude each other`);
  if (found.length < least) throw new TypeError(`${option} needs one of ${names.join(", ")}`);
}

type TextParts = Exclude<TextMatch, string>;

const anyText: MayBeAbsent<string> = custom<string | undefined>({
  type: "string",
  default: undefined,
  check(option, value) {
    if (typeof value !== "string") refuseOption(option, value, "a string");
  },
});

const rangeRule: MayBeAbsent<readonly [number, number]> = custom<readonly [number, number] | undefined>({
  type: "number[]",
  default: undefined,
  check(option, value) {
    if (!Array.isArray(value) || value.length !== 2 || !value.every((each) => Number.isSafeInteger(each)))
      refuseOption(option, value, "two whole numbers, [from, to]");
    if (value[0] >= value[1]) throw new RangeError(`${option} is empty: its numbers are at least ${value[0]} and below ${value[1]}`);
  },
});

const textTable = optionTable<TextParts>()({
  exact: anyText,
  prefix: text(),
  suffix: text(),
  contains: text(),
  pattern: patternText,
  present: flag(true) as MayBeAbsent<boolean>,
  range: rangeRule,
  ignoreCase: flag(false),
  not: flag(false),
});

const textParts = ["exact", "prefix", "suffix", "contains", "pattern", "range"] as const;

/** A match of a header or a parameter. */
const textRule: MayBeAbsent<TextMatch> = textOr(
  part(textTable, (option, given) => {
    checkOneOf(option, given, textParts, given.present === undefined ? 1 : 0);
    if (given.present === false && textParts.some((name) => given[name] !== undefined))
      throw new TypeError(`${option} demands something of a text that is not there (present: false)`);
  }),
);

const versionTable = optionTable<VersionMatch>()({
  from: custom<VersionMatch["from"]>({
    type: '"mediaType" | object',
    default: undefined as unknown as VersionMatch["from"],
    defaultText: "must be given",
    table: optionTable<{ readonly segment?: number; readonly header?: string }>()({
      segment: integer({ min: 0, max: 64 }),
      header: matchedHeader,
    }),
    check(option, value) {
      if (value === "mediaType") return;
      if (typeof value !== "object" || value === null)
        refuseOption(option, value, '"mediaType", { segment: 0 } or { header: "x-api-version" }');
      const rules: OptionRule<unknown>["table"] = versionTable.rules.from.table;
      const unknown = Object.keys(value).find((name) => rules?.rules[name] === undefined);
      if (unknown !== undefined) throw new TypeError(`${option} has no option ${quoted(unknown)}; it has segment, header`);
      for (const [name, rule] of Object.entries(rules?.rules ?? {}))
        rule.check(`${option}.${name}`, (value as Record<string, unknown>)[name]);
      checkOneOf(option, value, ["segment", "header"]);
    },
  }),
  range: rangeText as OptionRule<string>,
});

const callerRule: MayBeAbsent<string> = textWithout((id) =>
  parseSpiffeId(id.endsWith("/*") ? id.slice(0, -2) : id) === undefined
    ? "is no SPIFFE id, and no beginning of ids that ends in /*"
    : undefined,
);

const matchTable = optionTable<RouteMatch>()({
  service: oneOrMore(text()),
  host: oneOrMore(matchedHost),
  path: pathRule,
  method: oneOrMore(methodName),
  headers: named(textRule, checkMatchedHeader),
  query: named(textRule),
  caller: oneOrMore(callerRule),
  version: part(versionTable, (option, given) => {
    if (given.from === undefined || given.range === undefined) throw new TypeError(`${option} needs from and range`);
  }),
  percent: number({ default: 100, min: 0, max: 100, unit: "%" }),
});

/** A match of a rule. */
export const matchRule: MayBeAbsent<RouteMatch> = part(matchTable);
