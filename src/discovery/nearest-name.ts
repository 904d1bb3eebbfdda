import { createRequire } from "node:module";
import type * as Levenshtein from "fastest-levenshtein";

const require = createRequire(import.meta.url);

let loaded: typeof Levenshtein | undefined;

/** The one of `names` that was probably meant by `given`, if one is near enough and not `given` itself: for "did you mean" in messages. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const folded = new Map(names.map((name) => [name.toLowerCase(), name]));
  if (folded.size === 0) return undefined;
  loaded ??= load();
  if (loaded === undefined) return undefined;
  const wanted = given.toLowerCase();
  const nearest = loaded.closest(wanted, [...folded.keys()]);
  const isNear =
    nearest.includes(wanted) || wanted.includes(nearest) || loaded.distance(wanted, nearest) <= Math.max(1, Math.floor(wanted.length / 3));
  return isNear && folded.get(nearest) !== given ? folded.get(nearest) : undefined;
}

/** For the first such message: nothing else needs the package. */
function load(): typeof Levenshtein | undefined {
  try {
    return require("fastest-levenshtein") as typeof Levenshtein;
  } catch {
    // In a bundle the package is no file: the bundle's own copy comes a moment later, and this message goes without a suggestion.
    void import("fastest-levenshtein").then(
      (own) => {
        loaded = own;
      },
      () => {},
    );
    return undefined;
  }
}
