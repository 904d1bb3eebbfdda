import { quoted } from "../../core/text/clean-text.ts";
import type { PathMatch } from "../../routing/route-match.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import { Level } from "../reading/level.ts";
import { linearPattern, wholePattern } from "../reading/regex.ts";

/** How a location compares paths. */
export type LocationKind = "exact" | "prefix" | "final-prefix" | "regex" | "named";

/** A location as it stands in a file. */
export interface LocationSpec {
  readonly kind: LocationKind;
  /** The path, the pattern, or the name. */
  readonly text: string;
  /** Of a regex: of RE2, the part that nginx searches. */
  readonly pattern: string | undefined;
  readonly path: PathMatch | undefined;
  readonly level: Level;
  readonly directive: Directive;
}

const modifiers: Readonly<Record<string, LocationKind>> = { "=": "exact", "^~": "final-prefix", "~": "regex", "~*": "regex" };

/** Reads `location [= | ^~ | ~ | ~*] PATH { … }`. */
export function locationSpec(directive: Directive, parent: Level): LocationSpec {
  const [first, second, more] = directive.args;
  if (first === undefined || more !== undefined || directive.block === undefined)
    throw faultOf(directive, "it takes a path, maybe with = or ^~ or ~ or ~* in front of it, and a block");
  const level = new Level(directive.block, parent);
  // `location =/path` without a space is one word.
  const [modifier, text] = second === undefined ? partsOf(first.text) : [first.text, second.text];
  const kind = modifier === "" ? (text.startsWith("@") ? "named" : "prefix") : modifiers[modifier];
  if (kind === undefined) throw faultOf(directive, `there is no ${quoted(modifier)}; there are =, ^~, ~ and ~*`, first.place);
  if (kind === "named") return { kind, text, pattern: undefined, path: undefined, level, directive };
  if (kind === "regex") {
    const pattern = linearPattern(directive, text, (second ?? first).place);
    const ignoreCase = modifier === "~*" ? { ignoreCase: true } : {};
    return { kind, text, pattern, path: { pattern: wholePattern(pattern), ...ignoreCase }, level, directive };
  }
  if (!text.startsWith("/")) throw faultOf(directive, `${quoted(text)} does not begin with /: no path does`, (second ?? first).place);
  // nginx compares what it has decoded, the mesh what was sent.
  const sent = encodeURI(decoded(text));
  return { kind, text: sent, pattern: undefined, path: kind === "exact" ? { exact: sent } : beginning(sent), level, directive };
}

function beginning(text: string): PathMatch | undefined {
  return text === "/" ? undefined : { begins: text };
}

function partsOf(text: string): readonly [string, string] {
  const modifier = /^(?:=|\^~|~\*|~)(?=.)/.exec(text)?.[0] ?? "";
  return [modifier, text.slice(modifier.length)];
}

function decoded(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}
