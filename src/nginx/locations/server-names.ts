import { quoted } from "../../core/text/clean-text.ts";
import type { RouteMatch } from "../../routing/route-match.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import type { Level } from "../reading/level.ts";
import { linearPattern, wholePattern } from "../reading/regex.ts";

/** How near a name is: nginx asks for the exact ones first, then for those with a star in front, with one at the end, and for patterns. */
export type NameRank = 0 | 1 | 2 | 3;

/** A name of a server. */
export interface ServerName {
  readonly rank: NameRank;
  /** Among those of its rank; the longest star first. */
  readonly length: number;
  readonly match: RouteMatch;
}

/** The names of a server. None for one that only answers where no other one does. */
export function serverNames(level: Level): readonly ServerName[] {
  return level.own("server_name").flatMap((directive) =>
    directive.args.flatMap(({ text, place }): readonly ServerName[] => {
      const name = text.toLowerCase();
      if (name === "" || name === "_" || name === "$hostname") return [];
      if (text.startsWith("~")) return [patternName(directive, text.slice(1), place)];
      if (!/^(?:\*\.|\.)?[\w-]+(?:\.[\w-]+)*(?:\.\*)?$|^\[?[0-9a-f:.]+\]?$/.test(name) || (/^\*?\./.test(name) && name.endsWith(".*")))
        throw faultOf(directive, `${quoted(text)} is no name, with one star in front or at the end at most`, place);
      if (name.startsWith(".")) return [named(name.slice(1), 0), named(`*${name}`, 1)];
      return [named(name, name.startsWith("*.") ? 1 : name.endsWith(".*") ? 2 : 0)];
    }),
  );
}

function named(host: string, rank: NameRank): ServerName {
  return { rank, length: host.length, match: { host } };
}

function patternName(directive: Directive, pattern: string, place: Directive["place"]): ServerName {
  const whole = wholePattern(linearPattern(directive, pattern, place));
  // Of the header, since the name of a host has no pattern; a port behind it does not count.
  const withPort = `${whole}(?::\\d+)?`;
  return { rank: 3, length: 0, match: { headers: { host: { pattern: withPort, ignoreCase: true } } } };
}
