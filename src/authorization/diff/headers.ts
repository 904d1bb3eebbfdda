import { hostHeader, plainHost, withPlainHost } from "../conditions/host.ts";
import type { HeaderCondition, PolicyRule } from "../policy.ts";
import { closureOf, type Element } from "./closure.ts";
import type { Dimension, RequestClass } from "./dimension.ts";
import { type Matches, matchesInWords, RegexGuesses } from "./regex-guesses.ts";

/** A value of a header, with what is supposed of regular expressions. */
interface Value {
  readonly text: string;
  readonly matches: Matches;
  readonly isCertain: boolean;
}

/** One kind for each header that rules name. */
export function headerDimensions(rules: readonly PolicyRule[]): readonly Dimension[] {
  const conditions = rules.flatMap(({ to }) => to?.headers ?? []);
  const names = [...new Set(conditions.map(({ name }) => name.toLowerCase()))];
  return names.map((name) =>
    headerDimension(
      name,
      conditions.filter((each) => each.name.toLowerCase() === name),
    ),
  );
}

function headerDimension(name: string, given: readonly HeaderCondition[]): Dimension {
  const conditions = given.map(asCompared);
  const guesses = new RegexGuesses([...new Set(conditions.flatMap(({ regex }) => (regex === undefined ? [] : [regex])))]);
  const exact = [...new Set(conditions.flatMap((each) => [each.exact ?? []].flat()))];
  const open = openValues(exact, conditions).map((text) => (name === hostHeader ? plainHost(text) : text));
  const ofThis = (rule: PolicyRule): readonly HeaderCondition[] =>
    (rule.to?.headers ?? []).filter((each) => each.name.toLowerCase() === name);
  return {
    name: `header ${name}`,
    partOf(rule) {
      const headers = ofThis(rule);
      return headers.length === 0 ? undefined : { id: rule.id, action: rule.action, to: { headers } };
    },
    classesFor(asked, cut) {
      const questions = new Map(
        asked.flatMap((rule) =>
          ofThis(rule).map((each) => [keyOf(each, rule), { each: asCompared(each), isAll: rule.action === "allow" }]),
        ),
      );
      const sources = [...new Set([...questions.values()].flatMap(({ each: { regex } }) => (regex === undefined ? [] : [regex])))];
      const values: Value[] = exact.map((text) => ({ text, matches: guesses.of(sources, text), isCertain: true }));
      const candidates = [...open, ...guesses.texts.filter((text) => !exact.includes(text))];
      for (const matches of guesses.combinations(sources, cut))
        for (const text of open) {
          const isSo = (each: string): boolean => [...matches].every(([source, is]) => guesses.of([source], each).get(source) === is);
          const shown = isSo(text) ? text : candidates.find((each) => isSo(each) && sameAffixes(each, text, conditions));
          values.push({ text: shown ?? text, matches, isCertain: shown !== undefined });
        }
      const list = [...questions];
      const elementOf = (items: readonly Value[]): Element<Value> => ({
        items,
        verdicts: list.map(([, { each, isAll }]) => (holdsFor(each, isAll, items) ? "1" : "0")).join(""),
      });
      const elements = closureOf(
        values.map((value) => elementOf([value])),
        (one, other) => elementOf([...new Set([...one.items, ...other.items])]),
        () => cut(`of the values that the header ${name} may have at once, not all combinations are looked at`),
      );
      return [elementOf([]), ...elements].map((element): RequestClass => {
        const verdict = new Map(list.map(([key], index) => [key, element.verdicts[index] === "1"]));
        return {
          label: element.items.length === 0 ? "none" : element.items.map(labelOf).join(" and "),
          part: element.items.length === 0 ? {} : { headers: { [name]: element.items.map(({ text }) => text) } },
          isCertain: element.items.every(({ isCertain }) => isCertain),
          holds: (rule) => ofThis(rule).every((each) => verdict.get(keyOf(each, rule)) === true),
        };
      });
    },
  };
}

/** Hosts are compared in one spelling. */
function asCompared(condition: HeaderCondition): HeaderCondition {
  if (condition.name.toLowerCase() !== hostHeader || condition.present !== undefined) return condition;
  return { ...condition, ...withPlainHost(condition) };
}

function keyOf(condition: HeaderCondition, { action }: PolicyRule): string {
  return `${action === "allow"} ${JSON.stringify(condition)}`;
}

function labelOf({ text, matches, isCertain }: Value): string {
  return isCertain ? JSON.stringify(text) : `a value${matchesInWords(matches)}`;
}

/** As the condition of a rule asks, with what is supposed of regular expressions. */
function holdsFor(
  { present, exact, prefix, suffix, regex, not = false }: HeaderCondition,
  isAll: boolean,
  values: readonly Value[],
): boolean {
  if (present !== undefined) return values.length > 0 === (present !== not);
  if (values.length === 0) return not;
  const holds = ({ text, matches }: Value): boolean => {
    if (exact !== undefined) return [exact].flat().includes(text) !== not;
    if (prefix !== undefined) return text.startsWith(prefix) !== not;
    if (suffix !== undefined) return text.endsWith(suffix) !== not;
    return (matches.get(regex ?? "") === true) !== not;
  };
  return isAll ? values.every(holds) : values.some(holds);
}

/** A value for each pair of a beginning and an end, neither exact nor with another beginning or end by chance. */
function openValues(exact: readonly string[], conditions: readonly HeaderCondition[]): readonly string[] {
  const prefixes = ["", ...new Set(conditions.flatMap(({ prefix }) => (prefix === undefined ? [] : [prefix])))];
  const suffixes = ["", ...new Set(conditions.flatMap(({ suffix }) => (suffix === undefined ? [] : [suffix])))];
  return prefixes.flatMap((prefix) =>
    suffixes.map((suffix) => {
      const isOwn = (middle: string): boolean =>
        !exact.includes(prefix + middle + suffix) &&
        prefixes.every((each) => `${prefix}${middle}${suffix}`.startsWith(each) === prefix.startsWith(each)) &&
        suffixes.every((each) => `${prefix}${middle}${suffix}`.endsWith(each) === suffix.endsWith(each));
      return `${prefix}${middles.find(isOwn) ?? unheard(exact, prefixes, suffixes)}${suffix}`;
    }),
  );
}

const middles = ["other", "else", "any", "x", "0", "~"];

/** A character that is in none of the texts, in which no beginning and no end can go on. */
function unheard(...texts: readonly (readonly string[])[]): string {
  const all = texts.flat().join("");
  for (let code = 0xa1; ; code++) if (!all.includes(String.fromCharCode(code))) return String.fromCharCode(code);
}

function sameAffixes(one: string, other: string, conditions: readonly HeaderCondition[]): boolean {
  return conditions.every(
    ({ prefix = "", suffix = "" }) =>
      one.startsWith(prefix) === other.startsWith(prefix) && one.endsWith(suffix) === other.endsWith(suffix),
  );
}
