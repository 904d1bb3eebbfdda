import { type Endpoint, sameMetadata } from "../core/endpoint.ts";

/**
 * `before` when `after` says the same, in whatever order, else `after`. An adapter yields what it returns: whoever gets the
 * same array again knows by that alone that nothing has changed.
 */
export function keepIfSame(before: readonly Endpoint[] | undefined, after: readonly Endpoint[]): readonly Endpoint[] {
  return before !== undefined && sameEndpoints(before, after) ? before : after;
}

/** Whether two sets say the same, in whatever order. Most registries announce much that changes nothing here. */
export function sameEndpoints(before: readonly Endpoint[], after: readonly Endpoint[]): boolean {
  if (before.length !== after.length) return false;
  // Mostly the order is the same too, and no index of 10,000 endpoints has to be made.
  const start = before.findIndex((endpoint, place) => !sameEndpoint(endpoint, after[place] as Endpoint));
  if (start < 0) return true;
  const rest = before.slice(start);
  const byId = new Map(rest.map((endpoint) => [endpoint.id, endpoint]));
  // With an id twice the sets are not worth comparing; they are told as a change.
  if (byId.size !== rest.length) return false;
  for (const endpoint of after.slice(start)) {
    const other = byId.get(endpoint.id);
    if (other === undefined || !sameEndpoint(other, endpoint)) return false;
    byId.delete(endpoint.id);
  }
  return true;
}

function sameEndpoint(one: Endpoint, other: Endpoint): boolean {
  return (
    one === other ||
    (one.id === other.id &&
      one.host === other.host &&
      one.port === other.port &&
      one.socketPath === other.socketPath &&
      one.secure === other.secure &&
      one.weight === other.weight &&
      one.zone === other.zone &&
      one.priority === other.priority &&
      sameMetadata(one.metadata, other.metadata))
  );
}
