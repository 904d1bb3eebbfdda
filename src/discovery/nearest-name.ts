import { load } from "./levenshtein-package.cjs";

/** The one of `names` that was probably meant by `given`, if one is near enough and not `given` itself: for "did you mean" in messages. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const folded = likelyNames(given.toLowerCase(), names);
  if (folded.size === 0) return undefined;
  // Loaded for the first such message: nothing else needs the package.
  const { closest, distance } = load();
  const wanted = given.toLowerCase();
  const nearest = closest(wanted, [...folded.keys()]);
  const isNear =
    nearest.includes(wanted) || wanted.includes(nearest) || distance(wanted, nearest) <= Math.max(1, Math.floor(wanted.length / 3));
  return isNear && folded.get(nearest) !== given ? folded.get(nearest) : undefined;
}

/** Longer ones were invented, not mistyped. The work of comparing grows with both lengths, and the name may come from outside of the process. */
const maxLength = 64;

/** The names whose length alone does not rule them out, by their folded form. */
function likelyNames(wanted: string, names: readonly string[]): ReadonlyMap<string, string> {
  const likely = new Map<string, string>();
  if (wanted.length > maxLength) return likely;
  const most = Math.max(1, Math.floor(wanted.length / 3));
  for (const name of names) {
    if (name.length > maxLength) continue;
    const folded = name.toLowerCase();
    if (Math.abs(name.length - wanted.length) <= most || folded.includes(wanted) || wanted.includes(folded)) likely.set(folded, name);
  }
  return likely;
}
