import { matchesTemplate, type PathTemplate, parsePathTemplate } from "../conditions/path-pattern.ts";
import { pathProblem } from "../conditions/strict-path.ts";
import type { PathPattern, PolicyRule } from "../policy.ts";
import { type Dimension, freeText, type RequestClass } from "./dimension.ts";
import { type Matches, matchesInWords, RegexGuesses } from "./regex-guesses.ts";

/** Paths that are looked at. */
const maxPaths = 5_000;

interface PathSample {
  readonly path: string;
  /** With `{any}` for a segment that no rule names. */
  readonly label: string;
}

/**
 * Paths: one for each set of patterns that match the same path, found by going down all patterns at once, segment by segment. Regular expressions may match any path
 * that has a segment no rule names.
 */
export function pathDimension(rules: readonly PolicyRule[]): Dimension {
  const patterns = rules.flatMap(({ to = {} }) => [...(to.paths ?? []), ...(to.notPaths ?? [])]);
  const templates = new Map(patterns.filter((each) => typeof each === "string").map((each) => [each, parsePathTemplate(each)]));
  const guesses = new RegexGuesses([...new Set(patterns.flatMap((each) => (typeof each === "string" ? [] : [each.regex])))]);
  let known: { readonly samples: readonly PathSample[]; readonly isCut: boolean } | undefined;
  return {
    name: "path",
    partOf: pathsOf,
    classesFor(asked, cut) {
      known ??= samplesOf([...templates.values()], guesses.texts.length > 0);
      if (known.isCut) cut(`of the paths that the rules tell apart, ${maxPaths} are looked at`);
      const sources = [
        ...new Set(
          asked.flatMap(({ to = {} }) =>
            [...(to.paths ?? []), ...(to.notPaths ?? [])].flatMap((each) => (typeof each === "string" ? [] : [each.regex])),
          ),
        ),
      ];
      const hits = (template: PathTemplate, path: string): boolean => matchesTemplate(template, path);
      const signature = (path: string): string => [...templates.values()].map((each) => (hits(each, path) ? "1" : "0")).join("");
      const classOf = ({ path, label }: PathSample, matches: Matches, isCertain: boolean): RequestClass => {
        const matchesOne = (each: PathPattern): boolean =>
          typeof each === "string" ? hits(templates.get(each) as PathTemplate, path) : matches.get(each.regex) === true;
        return {
          label: label === path && isCertain ? label : `${label}${matchesInWords(matches)}`,
          part: { path },
          isCertain,
          holds: ({ to = {} }) => (to.paths?.some(matchesOne) ?? true) && !(to.notPaths?.some(matchesOne) ?? false),
        };
      };
      if (sources.length === 0) return known.samples.map((sample) => classOf(sample, new Map(), true));
      const combinations = guesses.combinations(sources, cut);
      const likely = guesses.texts.filter((text) => pathProblem(text) === undefined);
      return known.samples.flatMap((sample) => {
        // Only one path is so.
        if (sample.label === sample.path) return [classOf(sample, guesses.of(sources, sample.path), true)];
        const own = signature(sample.path);
        const candidates = [sample.path, ...likely.filter((text) => signature(text) === own)];
        return combinations.map((matches) => {
          const shown = candidates.find((text) =>
            [...guesses.of(sources, text)].every(([source, is]) => (matches.get(source) ?? is) === is),
          );
          return classOf({ ...sample, path: shown ?? sample.path }, matches, shown !== undefined);
        });
      });
    },
  };
}

function pathsOf({ id, action, to }: PolicyRule): PolicyRule | undefined {
  const { paths, notPaths } = to ?? {};
  if (paths === undefined && notPaths === undefined) return undefined;
  return { id, action, to: { ...(paths && { paths }), ...(notPaths && { notPaths }) } };
}

/** `isEach`: whether each path of named segments is an own sample, as regular expressions may tell it apart. */
function samplesOf(templates: readonly PathTemplate[], isEach: boolean): { samples: readonly PathSample[]; isCut: boolean } {
  const named = new Set(templates.flatMap(({ segments }) => segments));
  const other = freeText("other", (text) => named.has(text));
  const samples: PathSample[] = [];
  const seen = new Set<string>();
  let isCut = false;
  const walk = (prefix: PathSample, depth: number, alive: readonly PathTemplate[]): void => {
    const isOpen = ({ segments }: PathTemplate): boolean => segments.length > depth;
    const literals = new Set(alive.filter(isOpen).map(({ segments }) => segments[depth]));
    for (const segment of ["", ...[...literals].filter((each) => each !== undefined && each !== ""), undefined] as readonly (
      | string
      | undefined
    )[]) {
      if (samples.length >= maxPaths) {
        isCut = true;
        return;
      }
      const sample = { path: `${prefix.path}/${segment ?? other}`, label: `${prefix.label}/${segment ?? "{any}"}` };
      const rest = alive.filter((each) =>
        isOpen(each) ? each.segments[depth] === segment || (each.segments[depth] === undefined && segment !== "") : each.withBelow,
      );
      const isNamed = isEach && sample.label === sample.path;
      const key = `${depth} ${segment === ""} ${isNamed ? sample.path : ""} ${rest.map((each) => templates.indexOf(each)).join()}`;
      if (seen.has(key)) continue;
      seen.add(key);
      samples.push(sample);
      // Below the end of all that is alive, everything is the same: one level tells the end itself from what is below it.
      if (segment !== "" && (rest.some(({ segments }) => segments.length > depth + 1) || alive.some(isOpen))) walk(sample, depth + 1, rest);
    }
  };
  walk({ path: "", label: "" }, 0, templates);
  return { samples, isCut };
}
