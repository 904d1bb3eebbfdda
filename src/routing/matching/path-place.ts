import { quoted } from "../../core/text/clean-text.ts";
import { linearRegex } from "../../patterns/linear-regex.ts";
import { requiredTexts } from "../../patterns/required-text.ts";
import type { PathMatch } from "../route-match.ts";
import type { Condition } from "./condition.ts";
import { parseTemplate } from "./template.ts";

/**
 * A place in a tree of paths. `here`: paths with these segments. `below`: those, and all with more. `within`: those with at least one more, which may be
 * empty. `begins`: those whose next segment begins with `rest`.
 */
export interface PathPlace {
  /** A segment in braces is `undefined`. */
  readonly segments: readonly (string | undefined)[];
  readonly ends: "here" | "below" | "within" | "begins";
  readonly rest: string;
  /** In lower case, of paths in lower case. */
  readonly ignoreCase: boolean;
  /** A text that all of the paths have somewhere. */
  readonly has?: string;
}

/** A match of paths: where a tree has it, and its test. */
export interface CompiledPath {
  readonly place: PathPlace;
  /** Whether every path that the tree finds there matches. */
  readonly isWhole: boolean;
  readonly condition: Condition;
}

/**
 * Compiles a match of paths.
 * @throws Error for a wrong template or pattern.
 */
export function compilePath(match: PathMatch): CompiledPath {
  if ("template" in match) return templatePath(match.template);
  if ("pattern" in match) return patternPath(match);
  const { ignoreCase = false } = match;
  const given = "exact" in match ? match.exact : "prefix" in match ? match.prefix : match.begins;
  const wanted = ignoreCase ? given.toLowerCase() : given;
  if ("exact" in match) {
    const place: PathPlace = { segments: wanted.slice(1).split("/"), ends: "here", rest: "", ignoreCase };
    return whole(place, `is ${quoted(given)}`, (path) => path === wanted);
  }
  if ("begins" in match) return whole(beginning(wanted, ignoreCase), `begins with ${quoted(given)}`, (path) => path.startsWith(wanted));
  if (wanted.endsWith("/")) return whole(beginning(wanted, ignoreCase), `is below ${quoted(given)}`, (path) => path.startsWith(wanted));
  const place: PathPlace = { segments: wanted.slice(1).split("/"), ends: "below", rest: "", ignoreCase };
  const isBelow = (path: string): boolean =>
    path.startsWith(wanted) && (path.length === wanted.length || path.charCodeAt(wanted.length) === 47);
  return whole(place, `is ${quoted(given)} or below`, isBelow);
}

function whole(place: PathPlace, demand: string, test: (path: string) => boolean): CompiledPath {
  const holds: Condition["holds"] = place.ignoreCase ? (call) => test(call.lowerPath) : (call) => test(call.path);
  return { place, isWhole: true, condition: { part: "path", demand, holds } };
}

/** The place of all paths that begin with a text. */
function beginning(text: string, ignoreCase: boolean): PathPlace {
  const segments = text.slice(1).split("/");
  const rest = segments.pop() ?? "";
  return { segments, ends: rest === "" ? "within" : "begins", rest, ignoreCase };
}

function templatePath(template: string): CompiledPath {
  const { segments, withRest } = parseTemplate(template);
  const place: PathPlace = {
    segments: segments.map(({ text }) => text),
    ends: withRest === undefined ? "here" : "below",
    rest: "",
    ignoreCase: false,
  };
  const test = (path: string): boolean => {
    const given = path.slice(1).split("/");
    if (withRest === undefined ? given.length !== segments.length : given.length < segments.length) return false;
    return segments.every(({ text }, index) => (text === undefined ? given[index] !== "" : given[index] === text));
  };
  return whole(place, `is of the template ${quoted(template)}`, test);
}

function patternPath({ pattern, ignoreCase = false }: { readonly pattern: string; readonly ignoreCase?: boolean }): CompiledPath {
  const regex = linearRegex(pattern, { ignoreCase });
  return {
    place: patternPlace(pattern, ignoreCase),
    isWhole: false,
    condition: { part: "path", demand: `matches ${quoted(pattern)}`, holds: (call) => regex.matches(call.path) },
  };
}

/** Few patterns are tried on a path then: those of its first segments, or those whose longest text it has, whichever says more. */
function patternPlace(pattern: string, ignoreCase: boolean): PathPlace {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const required = requiredTexts(pattern);
  const [begin, longest] = [fold(required.beginning), fold(required.longest)];
  const place = beginning(begin.startsWith("/") ? begin : "/", ignoreCase);
  return longest.length > Math.max(begin.length, 1) ? { ...place, has: longest } : place;
}
