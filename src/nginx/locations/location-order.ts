import { quoted } from "../../core/text/clean-text.ts";
import { faultOf } from "../grammar/directive.ts";
import type { Level } from "../reading/level.ts";
import { type LocationSpec, locationSpec } from "./location-spec.ts";

/** The locations of a server in the order in which the first that matches is the one that nginx would choose, and those with names. */
export interface OrderedLocations {
  readonly ordered: readonly LocationSpec[];
  readonly named: ReadonlyMap<string, LocationSpec>;
}

/** Locations of one server. */
const maxLocations = 50_000;

/**
 * Puts locations in order: exact ones, prefixes that end the search with the longer prefixes in them, patterns in the order of the file, other prefixes,
 * the longest first.
 * @throws NginxError for two that are the same, and for what no order of first matches can be.
 */
export function orderLocations(server: Level): OrderedLocations {
  const all = locationsIn(server, undefined);
  const named = new Map<string, LocationSpec>();
  const seen = new Map<string, LocationSpec>();
  for (const location of all) {
    const { kind, text, directive } = location;
    if (kind === "regex") continue;
    const key = kind === "exact" ? `=${text}` : text;
    const known = seen.get(key);
    if (known !== undefined) throw faultOf(directive, `${quoted(text)} is there twice, first at line ${known.directive.place.line}`);
    seen.set(key, location);
    if (kind === "named") named.set(text, location);
  }
  const longestFirst = (one: LocationSpec, other: LocationSpec) => other.text.length - one.text.length;
  const exact = all.filter(({ kind }) => kind === "exact");
  const regexes = all.filter(({ kind }) => kind === "regex");
  const finals = all.filter(({ kind }) => kind === "final-prefix").sort(longestFirst);
  const prefixes = all.filter(({ kind }) => kind === "prefix").sort(longestFirst);
  const early = prefixes.filter(({ text }) => finals.some((final) => text.startsWith(final.text)));
  const [shadowed] = early;
  if (shadowed !== undefined && regexes.length > 0)
    throw faultOf(
      shadowed.directive,
      `${shadowed.text} is longer than a location with ^~ that it is in, and there are patterns beside: no order of rules says the same. Give it ^~, too`,
    );
  const late = prefixes.filter((each) => !early.includes(each));
  return { ordered: [...exact, ...[...finals, ...early].sort(longestFirst), ...regexes, ...late], named };
}

/** Those in a location stand for its part of the paths, and take over what it says. */
function locationsIn(level: Level, outer: LocationSpec | undefined): readonly LocationSpec[] {
  const found: LocationSpec[] = [];
  for (const directive of level.own("location")) {
    const location = locationSpec(directive, level);
    if (outer !== undefined) checkNested(location, outer);
    found.push(location, ...locationsIn(location.level, location));
    if (found.length > maxLocations) throw faultOf(directive, `a server has more than ${maxLocations} locations`);
  }
  return found;
}

function checkNested({ kind, text, directive }: LocationSpec, outer: LocationSpec): void {
  if (kind === "named") throw faultOf(directive, "a location with a name stands in a server");
  if (kind === "regex")
    throw faultOf(directive, `a pattern in the location ${outer.text} is not supported: write it beside, with the path in front`);
  if (outer.kind === "exact" || outer.kind === "regex" || outer.kind === "named")
    throw faultOf(directive, `a location in the location ${outer.text} is not supported`);
  if (!text.startsWith(outer.text)) throw faultOf(directive, `${quoted(text)} is outside of the location ${outer.text}`);
}
