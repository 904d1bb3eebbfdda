/** A SPIFFE id in its parts (SPIFFE-ID §2). */
export interface SpiffeId {
  /** `spiffe://example.org/ns/shop/svc/orders` */
  readonly text: string;
  /** `example.org` */
  readonly trustDomain: string;
  /** `/ns/shop/svc/orders`; empty for the id of a trust domain itself. */
  readonly path: string;
}

const maxLength = 2_048;
const maxTrustDomainLength = 255;
const trustDomainForm = /^[a-z0-9._-]+$/;
const segmentForm = /^[a-zA-Z0-9._-]+$/;

/**
 * Parses a SPIFFE id by the letter of the standard: scheme in lower case, no port, user, query, fragment, percent-encoding, empty or dot segment, no slash
 * at the end. `undefined` for anything else, since what one reader takes for another spelling of an id another one takes for another id.
 */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > maxLength || !text.startsWith("spiffe://")) return undefined;
  const slash = text.indexOf("/", 9);
  const trustDomain = slash === -1 ? text.slice(9) : text.slice(9, slash);
  const path = slash === -1 ? "" : text.slice(slash);
  if (trustDomain.length > maxTrustDomainLength || !trustDomainForm.test(trustDomain)) return undefined;
  for (const segment of path === "" ? [] : path.slice(1).split("/"))
    if (!segmentForm.test(segment) || segment === "." || segment === "..") return undefined;
  return { text, trustDomain, path };
}
