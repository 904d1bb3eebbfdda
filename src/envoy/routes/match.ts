import { quoted } from "../../core/text/clean-text.ts";
import { given, literal, type Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";

/** The match of a route as that of a rule: all but its host. */
export function matchOf(match: Part): Options {
  const path = pathOf(match);
  const read: Options = given({ path, percent: percentOf(match.at("runtime_fraction", "default_value")) });
  const headers: [string, unknown][] = [];
  for (const each of match.list("headers")) readHeader(each, read, headers);
  if (match.at("grpc") !== undefined) headers.push(["content-type", { prefix: "application/grpc" }]);
  for (const [index, [name]] of headers.entries())
    if (headers.findIndex(([other]) => other === name) !== index)
      match.refuse(`RouteMatch.headers: several conditions on the header ${quoted(name)}; write them as one safe_regex`);
  if (headers.length > 0) read["headers"] = Object.fromEntries(headers);
  for (const each of match.list("query_parameters"))
    if (/[%+]/.test(JSON.stringify(each.at("string_match")?.plain() ?? "")))
      each.notice("difference", "QueryParameterMatcher", "parameters are decoded before they are compared");
  const query = match.list("query_parameters").map((each) => [each.text("name") ?? "", textMatch(each, "QueryParameterMatcher")] as const);
  for (const [index, [name]] of query.entries())
    if (query.findIndex(([other]) => other === name) !== index)
      match.refuse(`RouteMatch.query_parameters: several conditions on ${quoted(name)}; write them as one safe_regex`);
  if (query.length > 0) read["query"] = Object.fromEntries(query);
  return read;
}

/** The share of a fraction, in percent; `undefined` where it is all. */
export function percentOf(fraction: Part | undefined): number | undefined {
  if (fraction === undefined) return undefined;
  const whole = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 }[fraction.text("denominator") ?? "HUNDRED"] ?? 100;
  const percent = ((fraction.number("numerator") ?? 0) * 100) / whole;
  return percent >= 100 ? undefined : percent;
}

const paths = ["prefix", "path", "safe_regex", "path_separated_prefix", "path_match_policy"];

function pathOf(match: Part): Options | undefined {
  const kinds = paths.filter((name) => match.at(name) !== undefined);
  const [kind] = kinds;
  if (kind === undefined) return match.refuse(`RouteMatch must have one of ${paths.join(", ")}`);
  if (kinds.length > 1) match.refuse(`RouteMatch has ${kinds.join(" and ")}, of which it can have one`);
  const ignoreCase = match.flag("case_sensitive") === false ? { ignoreCase: true } : {};
  const text = literal(match.text(kind) ?? "");
  switch (kind) {
    case "prefix":
      return text === "/" || text === "" ? undefined : { begins: text, ...ignoreCase };
    case "path":
      return { exact: text, ...ignoreCase };
    case "path_separated_prefix":
      if (/[?#]|\/$/.test(text))
        match.at(kind)?.refuse(`RouteMatch.path_separated_prefix has neither ? nor #, and no / at its end: ${quoted(text)}`);
      return { prefix: text, ...ignoreCase };
    case "safe_regex":
      return { pattern: literal(match.text(kind, "regex") ?? match.refuse("RouteMatch.safe_regex.regex is missing")) };
    default:
      return {
        template: templateOf(
          match.at(kind, "typed_config", "path_template") ?? match.refuse("UriTemplateMatchConfig.path_template is missing"),
        ),
      };
  }
}

/** `/users/{id}/**` as `/users/{id}/{rest*}`. */
export function templateOf(template: Part): string {
  const text = template.text() ?? "";
  let unnamed = 0;
  const segments = text.split("/").map((segment, index, all) => {
    const isLast = index === all.length - 1;
    const [, name = `any${segment.startsWith("*") ? ++unnamed : ""}`, glob = "*"] = /^\{(\w+)(?:=(\*{1,2}))?\}$/.exec(segment) ?? [
      undefined,
      undefined,
      segment,
    ];
    if (!/[*{}]/.test(segment)) return segment;
    if (glob === "**" && isLast) {
      template.notice(
        "difference",
        "UriTemplateMatchConfig.path_template",
        `${quoted(segment)} stands for no segment too: the path before it alone matches`,
      );
      return `{${name}*}`;
    }
    if (glob === "*") return `{${name}}`;
    return template.refuse(`a template has * for a segment, ** at its end, {name} and {name=*}: ${quoted(segment)} is none of them`);
  });
  return segments.join("/");
}

function readHeader(matcher: Part, read: Options, headers: [string, unknown][]): void {
  const name = (matcher.text("name") ?? "").toLowerCase();
  if (!name.startsWith(":")) {
    headers.push([name, textMatch(matcher, "HeaderMatcher")]);
    return;
  }
  const exact = exactTexts(matcher);
  if (exact === undefined) matcher.refuse(`HeaderMatcher: ${name} can be matched by exact texts alone`);
  else if (name === ":method") read["method"] = exact.length === 1 ? exact[0] : exact;
  else if (name === ":authority") read["host"] = exact.map((each) => each.replace(/:\d+$/, "").toLowerCase());
  else if (name === ":path" && exact.length === 1 && read["path"] === undefined && !exact[0]?.includes("?"))
    read["path"] = { exact: exact[0] };
  else matcher.refuse(`HeaderMatcher: ${name} cannot be matched; there are :method, :authority and :path`);
}

/** The texts that a matcher is for, where it names them all: one, or alternatives of a pattern. */
function exactTexts(matcher: Part): readonly string[] | undefined {
  if (matcher.flag("invert_match") === true || matcher.flag("string_match", "ignore_case") === true) return undefined;
  const exact = matcher.text("string_match", "exact");
  if (exact !== undefined) return [exact];
  const pattern = matcher.text("string_match", "safe_regex", "regex");
  const inner = pattern?.replace(/^\^?(?:\((?:\?:)?)?/, "").replace(/\)?\$?$/, "");
  return inner !== undefined && /^[A-Za-z0-9_-]+(?:\|[A-Za-z0-9_-]+)*$/.test(inner) ? inner.split("|") : undefined;
}

/** A condition on a text. */
export function textMatch(matcher: Part, message: string): unknown {
  const isInverted = matcher.flag("invert_match") === true;
  // In Envoy a header that is missing is not turned round, but for the question whether it is there.
  const not = isInverted ? { not: true, present: true } : {};
  const string = matcher.at("string_match");
  const range = matcher.at("range_match");
  if (matcher.flag("treat_missing_header_as_empty") === true)
    matcher.refuse(`${message}.treat_missing_header_as_empty: a header that is missing is not an empty one`);
  if (range !== undefined) return { range: [range.number("start") ?? 0, range.number("end") ?? 0], ...not };
  if (string === undefined) return { present: (matcher.flag("present_match") ?? true) !== isInverted };
  const ignoreCase = string.flag("ignore_case") === true ? { ignoreCase: true } : {};
  const pattern = string.text("safe_regex", "regex");
  const kind = ["exact", "prefix", "suffix", "contains"].find((name) => string.at(name) !== undefined);
  if (kind === undefined && pattern === undefined)
    string.refuse("StringMatcher must have one of exact, prefix, suffix, contains and safe_regex");
  const condition = kind === undefined ? { pattern: literal(pattern ?? "") } : { [kind]: literal(string.text(kind) ?? ""), ...ignoreCase };
  return { ...condition, ...not };
}
