import { type Endpoint, sameAddress, sameFacts } from "../core/endpoint.ts";

/**
 * `before` when `after` is the same set in any order, else `after`. An adapter yields the result, so that a set that has not changed
 * stays the same array.
 */
export function keepIfSame(before: readonly Endpoint[] | undefined, after: readonly Endpoint[]): readonly Endpoint[] {
  return before !== undefined && sameEndpoints(before, after) ? before : after;
}

/** Whether two sets are the same in any order. Registries announce many changes that matter to no caller. */
export function sameEndpoints(before: readonly Endpoint[], after: readonly Endpoint[]): boolean {
  if (before.length !== after.length) return false;
  // The order is usually the same, and then no index of up to 10,000 endpoints is needed.
  const start = before.findIndex((endpoint, place) => !sameEndpoint(endpoint, after[place] as Endpoint));
  if (start < 0) return true;
  const rest = before.slice(start);
  const byId = new Map(rest.map((endpoint) => [endpoint.id, endpoint]));
  // An id that occurs twice makes the sets incomparable; they count as different.
  if (byId.size !== rest.length) return false;
  for (const endpoint of after.slice(start)) {
    const other = byId.get(endpoint.id);
    if (other === undefined || !sameEndpoint(other, endpoint)) return false;
    byId.delete(endpoint.id);
  }
  return true;
}

/** Absent `secure` and `false` are the same address, and different data. */
function sameEndpoint(one: Endpoint, other: Endpoint): boolean {
  return one === other || (one.id === other.id && one.secure === other.secure && sameAddress(one, other) && sameFacts(one, other));
}
