import { quoted } from "../../core/text/clean-text.ts";
import type { Place } from "../../documents/document-error.ts";
import { linearRegex } from "../../patterns/linear-regex.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";

/** The constructs that PCRE has and RE2 has not, with their names. */
const lacking: readonly (readonly [RegExp, string])[] = [
  [/\(\?=|\(\?!/, "a lookahead"],
  [/\(\?<[=!]/, "a lookbehind"],
  [/\(\?>/, "an atomic group"],
  [/\(\?\(/, "a condition"],
  [/\(\?(?:R|\d|&|P>)/, "a recursion"],
  [/\\[1-9]|\\k[<{']|\\g[{<'\d]/, "a reference to a group"],
  [/\\[GKXR]/, "an escape of PCRE alone"],
  [/[*+?}]\+/, "a possessive quantifier"],
];

/**
 * A pattern of PCRE as one of RE2, with the same meaning. Its groups keep their numbers.
 * @throws NginxError for what RE2 has not: a pattern takes time in proportion to the text.
 */
export function linearPattern(directive: Directive, pattern: string, place: Place): string {
  if (pattern.length > 1_000) throw faultOf(directive, `the pattern has ${pattern.length} characters; 1000 are allowed`, place);
  // Neither in classes nor behind a backslash.
  const bare = pattern.replace(/\\\\/g, "").replace(/\[\^?\]?(?:\\.|[^\]\\])*(?:\]|\\?$)/g, "x");
  for (const [form, name] of lacking)
    if (form.test(bare)) throw faultOf(directive, `${quoted(pattern)} has ${name}, which linear patterns (RE2) have not`, place);
  const linear = pattern
    .replace(/\(\?<(?=[A-Za-z_])/g, "(?P<")
    .replace(/\\\//g, "/")
    .replace(/\\h/g, "[ \\t]")
    .replace(/\\Z/g, "\\z");
  try {
    linearRegex(linear);
  } catch (error) {
    throw faultOf(directive, `${quoted(pattern)}: ${(error as Error).message}`, place);
  }
  return linear;
}

/** A pattern that matches a whole text wherever the given one matches a part of it. */
export function wholePattern(pattern: string): string {
  const begins = pattern.startsWith("^") && !hasTopAlternative(pattern);
  const ends = pattern.endsWith("$") && !pattern.endsWith("\\$") && !hasTopAlternative(pattern);
  const inner = pattern.slice(begins ? 1 : 0, ends ? -1 : undefined);
  return `${begins ? "" : "(?s:.*?)"}${begins && ends ? inner : `(?:${inner})`}${ends ? "" : "(?s:.*)"}`;
}

/** Whether `|` stands outside of groups and classes. */
function hasTopAlternative(pattern: string): boolean {
  let depth = 0;
  let inClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === "\\") at++;
    else if (inClass) inClass = character !== "]";
    else if (character === "[") inClass = true;
    else if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (character === "|" && depth === 0) return true;
  }
  return false;
}
