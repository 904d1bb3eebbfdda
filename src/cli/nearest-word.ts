import { closest, distance } from "fastest-levenshtein";

/** The word that `given` was probably meant to be; `undefined` when none is similar enough. */
export function nearestWord(given: string, words: readonly string[]): string | undefined {
  if (words.length === 0 || given === "") return undefined;
  const begun = words.find((word) => word.startsWith(given));
  if (begun !== undefined) return begun;
  const nearest = closest(given, [...words]);
  // A word of one letter is like every other.
  return given.length > 1 && distance(given, nearest) <= Math.max(1, Math.floor(given.length / 3)) ? nearest : undefined;
}
