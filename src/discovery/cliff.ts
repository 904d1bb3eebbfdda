import type { Endpoint } from "../core/endpoint.ts";

/** An answer that lists less than half is a cliff from this number of missing instances on: of three, two may well leave at once. */
const minMissing = 3;

/**
 * Whether an answer that lists `listed` of the endpoints that were `known`, and leaves `missing` of them out, is a cliff: it lists none, or
 * less than half and leaves out three or more.
 */
export function isCliff(known: number, listed: number, missing: number): boolean {
  return known > 0 && missing > 0 && (listed === 0 || (listed < known / 2 && missing >= minMissing));
}

/** Whether `after` is a cliff behind `before`. */
export function isCliffAfter(before: readonly Endpoint[], after: readonly Endpoint[]): boolean {
  // Cheap, and enough for most answers.
  if (after.length >= before.length / 2) return false;
  const listed = new Set(after.map(({ id }) => id));
  return isCliff(before.length, after.length, before.filter(({ id }) => !listed.has(id)).length);
}
