import { load } from "./levenshtein-package.cjs";

/** The one of `names` that was probably meant by `given`, if one is near enough and not `given` itself: for "did you mean" in messages. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const folded = new Map(names.map((name) => [name.toLowerCase(), name]));
  if (folded.size === 0) return undefined;
  // Loaded for the first such message: nothing else needs the package.
  const { closest, distance } = load();
  const wanted = given.toLowerCase();
  const nearest = closest(wanted, [...folded.keys()]);
  const isNear =
    nearest.includes(wanted) || wanted.includes(nearest) || distance(wanted, nearest) <= Math.max(1, Math.floor(wanted.length / 3));
  return isNear && folded.get(nearest) !== given ? folded.get(nearest) : undefined;
}
