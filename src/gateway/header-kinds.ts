import { requestHeadersOfTheMesh } from "../core/http/own-headers.ts";
import { claims, plainName } from "../server/inbound/claims.ts";

/** The part that a header of a request has in a gateway. */
export type HeaderKind =
  /** It is passed on. */
  | "passed"
  /** It is of one connection, or the mesh sets it itself. */
  | "dropped"
  /** It says something that only a trusted peer may say. */
  | "claim"
  /** It names others that are of one connection. */
  | "connection"
  | "host"
  | "content-length"
  | "transfer-encoding"
  | "te"
  | "via"
  | "x-forwarded-for"
  | "x-forwarded-proto"
  | "x-forwarded-host"
  | "forwarded"
  | "request id";

/** A name of a header in lower case, with its part. */
export interface KnownHeader {
  readonly name: string;
  readonly kind: HeaderKind;
}

/** Of one connection (RFC 9110 §7.6.1), or the mesh's own. */
const dropped: ReadonlySet<string> = new Set([
  ...requestHeadersOfTheMesh,
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "trailer",
  "upgrade",
]);

const special: ReadonlySet<string> = new Set<HeaderKind>([
  "connection",
  "host",
  "content-length",
  "transfer-encoding",
  "te",
  "via",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "forwarded",
]);

const claimed: ReadonlySet<string> = new Set(claims.map(plainName));

/** Names that are remembered, and the longest of them: names come from outside. */
const maxNames = 1_000;
const maxLength = 64;

/** Judges names of headers: once for each name as it is written, since most requests have the same ones. */
export class HeaderKinds {
  readonly #known = new Map<string, KnownHeader>();
  readonly #requestId: string | false;

  /** @param requestId the name of the header of request ids, in lower case */
  constructor(requestId: string | false) {
    this.#requestId = requestId;
  }

  of(written: string): KnownHeader {
    return this.#known.get(written) ?? this.#judge(written);
  }

  #judge(written: string): KnownHeader {
    const name = written.toLowerCase();
    const header = { name, kind: this.#kindOf(name) };
    if (written.length <= maxLength && this.#known.size < maxNames) this.#known.set(written, header);
    return header;
  }

  #kindOf(name: string): HeaderKind {
    if (special.has(name)) return name as HeaderKind;
    if (name === this.#requestId) return "request id";
    // Pseudo-headers of HTTP/2 are read by themselves.
    if (name.startsWith(":") || dropped.has(name)) return "dropped";
    return claimed.has(plainName(name)) ? "claim" : "passed";
  }
}
