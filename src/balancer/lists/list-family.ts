import type { Upstream } from "../../core/upstream.ts";

const families = new WeakMap<readonly Upstream[], object>();

/**
 * Marks a list as one of a family: those that are made for the same part of a service. The lists of two parts may have members in common, and none of
 * them replaces one of the other. A list without a mark is of the whole service.
 */
export function markFamily(list: readonly Upstream[], family: object): void {
  families.set(list, family);
}

/** The family of a list; `undefined`: that of the whole service. */
export function familyOf(list: readonly Upstream[]): object | undefined {
  return families.get(list);
}
