import type { Endpoint } from "../../core/endpoint.ts";

/** Whether two sets say the same, in whatever order. Consul's index moves for much that changes nothing here. */
export function sameEndpoints(before: readonly Endpoint[], after: readonly Endpoint[]): boolean {
  if (before.length !== after.length) return false;
  const byId = new Map(before.map((endpoint) => [endpoint.id, endpoint]));
  // With an id twice the sets are not worth comparing; they are told as a change.
  if (byId.size !== before.length) return false;
  const seen = new Set<string>();
  for (const endpoint of after) {
    const other = byId.get(endpoint.id);
    if (other === undefined || seen.has(endpoint.id) || !sameEndpoint(other, endpoint)) return false;
    seen.add(endpoint.id);
  }
  return true;
}

function sameEndpoint(one: Endpoint, other: Endpoint): boolean {
  return (
    one.host === other.host &&
    one.port === other.port &&
    one.secure === other.secure &&
    one.weight === other.weight &&
    one.zone === other.zone &&
    sameMetadata(one.metadata ?? {}, other.metadata ?? {})
  );
}

function sameMetadata(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && one[key] === other[key]);
}
