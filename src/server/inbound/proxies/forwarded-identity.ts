import { X509Certificate } from "node:crypto";
import { identityOfCertificate, identityOfNames } from "../identity.ts";
import type { InboundPart, InboundRequest } from "../inbound-request.ts";
import type { Networks } from "../networks.ts";
import { lastXfccElement } from "./xfcc.ts";

/** The header by which a proxy says whose certificate it has verified: that of Envoy, or that of RFC 9440. */
export type IdentityHeader = "x-forwarded-client-cert" | "client-cert";

/** Certificates whose identity is remembered: a proxy sends the same few with each request. */
const maxRemembered = 1_000;
/** The longest header that is read; certificates are a tenth of it. */
const maxLength = 16_384;

/**
 * Believes a proxy in front that says whose certificate it has verified, in the one header that the options name: another one may be what its client has
 * sent. A request whose header cannot be read, or that has two, has no identity, not even that of the proxy.
 */
export class ForwardedIdentity implements InboundPart {
  readonly name = "trust";
  readonly #header: IdentityHeader;
  readonly #trusted: Networks;
  readonly #remembered = new Map<string, string | undefined>();

  constructor(header: IdentityHeader, trusted: Networks) {
    this.#header = header;
    this.#trusted = trusted;
  }

  arrive(request: InboundRequest): boolean {
    request.identity = this.identityOf(request);
    return false;
  }

  /** The identity of a request: the forwarded one, where its peer is trusted and has sent the header, else that of the connection. */
  identityOf({ peer, request }: Pick<InboundRequest, "peer" | "request">): string | undefined {
    if (!peer.isIn(this.#trusted)) return peer.identity;
    const values = valuesOf(request.rawHeaders, this.#header);
    const [value = ""] = values;
    if (values.length === 0) return peer.identity;
    if (values.length > 1 || value.length > maxLength) return undefined;
    if (this.#header === "x-forwarded-client-cert") return identityOfXfcc(value);
    return this.#identityOfClientCert(value);
  }

  #identityOfClientCert(value: string): string | undefined {
    const known = this.#remembered.get(value);
    if (known !== undefined || this.#remembered.has(value)) return known;
    const identity = identityOfClientCert(value);
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(value, identity);
    return identity;
  }
}

/** The identity in an `x-forwarded-client-cert` header: the URI of its last element, else its DNS name; the subject, whose spelling varies, is none. */
export function identityOfXfcc(header: string): string | undefined {
  const element = lastXfccElement(header);
  if (element === undefined) return undefined;
  const valuesOfKey = (wanted: string): string[] =>
    element.filter(([key, value]) => key === wanted && value !== "").map(([, value]) => value);
  return identityOfNames(valuesOfKey("uri"), valuesOfKey("dns"));
}

/** The identity in a `Client-Cert` header (RFC 9440 §2.2): one byte sequence of RFC 8941, of the DER of the certificate. */
export function identityOfClientCert(header: string): string | undefined {
  const [, text = ""] = /^ *:([A-Za-z0-9+/]+={0,2}): *$/.exec(header) ?? [];
  const bytes = Buffer.from(text, "base64");
  // One certificate has one spelling.
  if (text === "" || bytes.toString("base64") !== text) return undefined;
  try {
    const certificate = new X509Certificate(bytes);
    return certificate.raw.equals(bytes) ? identityOfCertificate(certificate) : undefined;
  } catch {
    return undefined;
  }
}

/** The values of a header, whatever the case of its name, and with `_` for `-`: a name that the proxy passed on as it came makes a second value. */
function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const given = rawHeaders[index] as string;
    if (given.length === name.length && given.toLowerCase().replaceAll("_", "-") === name) values.push(rawHeaders[index + 1] as string);
  }
  return values;
}
