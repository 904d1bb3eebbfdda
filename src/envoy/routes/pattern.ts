import { literal, type Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";

/** `\1` stands for a group in Envoy, `$1` here. */
export function patternOf(rewrite: Part): Options {
  const pattern = rewrite.text("pattern", "regex") ?? rewrite.refuse("RegexMatchAndSubstitute.pattern.regex is missing");
  const substitution = (rewrite.text("substitution") ?? "")
    .replaceAll("$", "$$$$")
    .replace(/\\(\d|\\)/g, (_whole, group: string) => (group === "\\" ? "\\" : `$${group === "0" ? "&" : group}`));
  return { pattern: literal(pattern), with: literal(substitution) };
}
