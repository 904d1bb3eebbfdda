import { quoted } from "../../core/text/clean-text.ts";
import type { RouteMatch, TextMatch } from "../../routing/route-match.ts";
import { type Directive, faultOf, type Word } from "../grammar/directive.ts";
import { linearPattern, wholePattern } from "../reading/regex.ts";
import type { Report } from "../reading/report.ts";

/** Facts of the requests of a server before they come. */
export interface ServerFacts {
  readonly isSecure: boolean;
}

/** The calls that a condition is for; `"always"` and `"never"` where that is known before. */
export type Condition = RouteMatch | "always" | "never";

/** Reads `if ($variable = text)`, with `!=`, `~`, `~*`, `!~`, `!~*`, or with a variable alone. */
export function conditionOf(directive: Directive, { isSecure }: ServerFacts, report: Report): Condition {
  const [name, operator, value] = wordsOf(directive, report);
  const test = testOf(directive, operator, value);
  if (name === "scheme") return holds(test, isSecure ? "https" : "http") ? "always" : "never";
  if (name === "https") return holds(test, isSecure ? "on" : "") ? "always" : "never";
  return matchOf(directive, name, test, report);
}

/** The calls whose variable has a text. */
export function matchOf(directive: Directive, name: string, test: TextMatch, report: Report): RouteMatch {
  const [, kind, rest = ""] = /^(http|arg)_(\w+)$/.exec(name) ?? [];
  if (kind === "http") return { headers: { [rest.toLowerCase().replaceAll("_", "-")]: test } };
  if (kind === "arg") return { query: { [rest]: test } };
  const isExact = typeof test === "object" && test.exact !== undefined && test.not !== true;
  if (name === "host" || name === "http_host")
    return isExact ? { host: (test as { exact: string }).exact.toLowerCase() } : { headers: { host: test } };
  if (name === "request_method" && isExact) return { method: (test as { exact: string }).exact.toUpperCase() };
  if (name === "request_method") {
    const methods = methodsOf(test);
    if (methods !== undefined) return { method: methods };
  }
  if ((name === "uri" || name === "request_uri" || name === "document_uri") && typeof test === "object" && test.not !== true) {
    if (test.exact !== undefined) return { path: { exact: test.exact } };
    if (test.pattern !== undefined) return { path: { pattern: test.pattern, ...(test.ignoreCase === true ? { ignoreCase: true } : {}) } };
  }
  throw report.unsupported(directive, `a condition on $${name} is not supported in this form`);
}

const knownMethods = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "MKCOL",
  "COPY",
  "MOVE",
  "OPTIONS",
  "PROPFIND",
  "PROPPATCH",
  "LOCK",
  "UNLOCK",
  "PATCH",
  "TRACE",
];

/** The methods of `^(GET|POST)$`; those that are none of them where it is negated. */
function methodsOf(test: TextMatch): readonly string[] | undefined {
  if (typeof test === "string") return [test];
  const list = test.exact ?? /^\(?(?:\?:)?([A-Z|]+)\)?$/.exec((test.pattern ?? "").replace(/^\(\?:|\)$/g, ""))?.[1];
  if (list === undefined) return undefined;
  const named = list.split("|");
  return test.not === true ? knownMethods.filter((method) => !named.includes(method)) : named;
}

function wordsOf(directive: Directive, report: Report): readonly [name: string, operator: string | undefined, value: Word | undefined] {
  const words = [...directive.args];
  const [first] = words;
  const last = words.at(-1);
  if (first === undefined || last === undefined || !first.text.startsWith("(") || !last.text.endsWith(")") || directive.block === undefined)
    throw faultOf(directive, "it takes a condition in parentheses and a block");
  words[0] = { ...first, text: first.text.slice(1) };
  const end = words.length - 1;
  const closing = words[end] as Word;
  words[end] = { ...closing, text: closing.text.slice(0, -1) };
  const [variable, operator, value, more] = words.filter(({ text, isQuoted }) => text !== "" || isQuoted);
  const name = /^\$\{?(\w+)\}?$/.exec(variable?.text ?? "")?.[1];
  if (name === undefined || more !== undefined)
    throw report.unsupported(directive, "the condition is none on a variable, as in if ($host = www.example.com)", first.place);
  return [name, operator?.text, operator === undefined ? undefined : (value ?? { text: "", place: operator.place, isQuoted: true })];
}

function testOf(directive: Directive, operator: string | undefined, value: Word | undefined): TextMatch {
  // Neither empty nor `0`.
  if (operator === undefined || value === undefined) return { pattern: "0.+|[^0](?s:.*)" };
  if (operator === "=" || operator === "==") return { exact: value.text };
  if (operator === "!=") return { exact: value.text, not: true };
  if (!/^!?~\*?$/.test(operator))
    throw faultOf(directive, `there is no ${quoted(operator)}; there are =, !=, ~, ~*, !~ and !~*`, value.place);
  const pattern = wholePattern(linearPattern(directive, value.text, value.place));
  return { pattern, ...(operator.endsWith("*") ? { ignoreCase: true } : {}), ...(operator.startsWith("!") ? { not: true } : {}) };
}

/** Of texts that are known when the file is read: only those that say `=` or `!=`. */
function holds(test: TextMatch, text: string): boolean {
  if (typeof test === "string") return test === text;
  const is = test.exact !== undefined ? test.exact === text : text !== "" && (test.pattern ?? "").includes(text);
  return test.not === true ? !is : is;
}
