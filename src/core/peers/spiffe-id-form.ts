import { parseSpiffeId, type SpiffeId } from "./spiffe-id.ts";

/** The SPIFFE ids that are meant by one text: an id, or all of one form. */
export interface SpiffeIdForm {
  readonly trustDomain: string;
  /** Whether an id is meant. Each segment counts, and each has to be the same or stand against a `*`. */
  matches(id: SpiffeId): boolean;
}

/**
 * Parses a SPIFFE id with a path, in which a whole segment `*` stands for any one segment: `spiffe://example.org/orders/*`. The trust domain is
 * always one. `undefined` for anything else.
 */
export function parseSpiffeIdForm(text: string): SpiffeIdForm | undefined {
  const [scheme, empty, authority, ...segments] = text.split("/");
  const plain = segments.map((segment) => (segment === "*" ? "any" : segment));
  const parsed = parseSpiffeId([scheme, empty, authority, ...plain].join("/"));
  if (parsed === undefined || segments.length === 0) return undefined;
  const { trustDomain } = parsed;
  return {
    trustDomain,
    matches(id) {
      const given = id.path.slice(1).split("/");
      return (
        id.trustDomain === trustDomain &&
        given.length === segments.length &&
        segments.every((segment, at) => segment === "*" || segment === given[at])
      );
    },
  };
}
