import { type Directive, faultOf } from "../grammar/directive.ts";
import { harmlessNames, knownAs } from "./known-directives.ts";
import type { Report } from "./report.ts";

/** Blocks whose lines are no directives. */
const tables: ReadonlySet<string> = new Set(["types", "map", "geo", "split_clients", "charset_map", "events", "upstream"]);
const http: ReadonlySet<string> = new Set(["server", "upstream", "map", "split_clients", "http"]);

/**
 * Looks at every directive of a file once: those that have no meaning here become notices, one for each name, and one that nginx has not is an error.
 * Those that are not supported are found where they are in force.
 */
export function checkDirectives(directives: readonly Directive[], report: Report): void {
  const seen = new Map<string, { readonly first: Directive; readonly reason: string; count: number }>();
  const walk = (block: readonly Directive[], within: string): void => {
    for (const directive of block) {
      const known = knownAs(directive);
      if (known.kind === "harmless") {
        const one = seen.get(directive.name);
        if (one === undefined) seen.set(directive.name, { first: directive, reason: known.reason, count: 1 });
        else one.count++;
      } else if (known.kind === "read" && within !== "" && within !== "http" && http.has(directive.name))
        throw faultOf(directive, `it does not stand in ${within}`);
      if (directive.block !== undefined && !tables.has(directive.name)) walk(directive.block, directive.name);
    }
  };
  walk(directives, "");
  for (const { first, reason, count } of seen.values()) report.notice(first, `${reason}${count === 1 ? "" : ` (${count} times)`}`);
}

/** The names of the directives that are taken without a meaning. */
export const withoutMeaning: ReadonlySet<string> = new Set(harmlessNames);
