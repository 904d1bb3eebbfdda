import { load } from "./levenshtein-package.cjs";

/**
 * The one of `names` that was probably meant by `given`, if one is near enough and not `given` itself: for "did you mean" in messages. One that
 * begins with `given` is meant before any other.
 */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const wanted = given.toLowerCase();
  const folded = likelyNames(wanted, names);
  if (folded.size === 0) return undefined;
  const likely = [...folded.keys()];
  const nearest = likely.find((name) => name.startsWith(wanted)) ?? closestOf(wanted, likely);
  const name = nearest === undefined ? undefined : folded.get(nearest);
  return name === given ? undefined : name;
}

/** Longer ones were invented, not mistyped. The work of comparing grows with both lengths, and the name may come from outside of the process. */
const maxLength = 64;

/** The names whose length alone does not rule them out, by their folded form. */
function likelyNames(wanted: string, names: readonly string[]): ReadonlyMap<string, string> {
  const likely = new Map<string, string>();
  if (wanted === "" || wanted.length > maxLength) return likely;
  const most = mostChanges(wanted);
  for (const name of names) {
    if (name.length > maxLength) continue;
    const folded = name.toLowerCase();
    if (Math.abs(name.length - wanted.length) <= most || folded.includes(wanted) || wanted.includes(folded)) likely.set(folded, name);
  }
  return likely;
}

function closestOf(wanted: string, likely: readonly string[]): string | undefined {
  // A word of one letter is like every other.
  if (wanted.length < 2) return undefined;
  // Loaded for the first such message: nothing else needs the package.
  const { closest, distance } = load();
  const nearest = closest(wanted, [...likely]);
  const isNear = nearest.includes(wanted) || wanted.includes(nearest) || distance(wanted, nearest) <= mostChanges(wanted);
  return isNear ? nearest : undefined;
}

/** Changes of a letter for which a name is still taken for a mistyped one. */
function mostChanges(wanted: string): number {
  return Math.max(1, Math.floor(wanted.length / 3));
}
