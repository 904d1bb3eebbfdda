import type { Endpoint } from "../core/endpoint.ts";

const certain = new WeakSet<readonly Endpoint[]>();

/**
 * For adapters: marks one answer as certain and returns it. The mesh takes it at its word at once, also when it is empty or lists far
 * fewer instances than the last; any other such answer has to be confirmed first. To be used where the source itself says that it
 * knows: a registry that has shown its leader, its progress and the caller's rights; the SRV target `.` of RFC 2782.
 */
export function authoritative(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  certain.add(endpoints);
  return endpoints;
}

/** Whether an adapter has marked this very array. */
export function isAuthoritative(endpoints: readonly unknown[]): boolean {
  return certain.has(endpoints as readonly Endpoint[]);
}
