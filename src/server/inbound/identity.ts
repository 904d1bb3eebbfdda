import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { parseSpiffeId } from "../../identity/spiffe-id.ts";

/** An alternative name as Node.js writes it: one with a comma, a quote or a control character is a string of JSON. */
const alternativeName = /(?:^|, )(URI|DNS):("(?:[^"\\]|\\.)*"|[^,]*)/g;
const dnsName = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
/** The longest subject that is written out. */
const maxLength = 512;

/**
 * The identity in the client certificate of a connection, where the server has verified it; see {@link identityOfCertificate}. `undefined` without a
 * certificate, and for one that no authority of the server has signed.
 */
export function identityOf(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : identityOfCertificate(certificate);
}

/**
 * The identity that a verified certificate shows: its SPIFFE id, else its DNS name, else its subject (RFC 2253, in the order of the certificate), else its
 * fingerprint. A certificate that is no proper X.509-SVID, as with a second URI, an id of another spelling or the right to sign others, shows none: the
 * rest of it was not made to name a caller.
 */
export function identityOfCertificate(certificate: X509Certificate): string | undefined {
  const names = [...(certificate.subjectAltName ?? "").matchAll(alternativeName)];
  const uris = names.filter(([, kind]) => kind === "URI").map(([, , name = ""]) => name);
  const hosts = names.filter(([, kind]) => kind === "DNS").map(([, , name = ""]) => name);
  const named = identityOfNames(uris, hosts);
  if (named.isRefused || (named.isSpiffe && certificate.ca)) return undefined;
  if (named.identity !== undefined) return named.identity;
  const subject = certificate.subject?.replaceAll("\n", ",");
  return subject === undefined || subject === "" || subject.length > maxLength ? certificate.fingerprint256 : subject;
}

/** The identity in the alternative names of a certificate. */
export interface NamedIdentity {
  readonly identity: string | undefined;
  readonly isSpiffe: boolean;
  /** Whether nothing in the certificate may count as an identity. */
  readonly isRefused: boolean;
}

/**
 * The identity in alternative names: the only URI, where that is a SPIFFE id, else the only DNS name without a wildcard. Several URIs, and one that begins
 * as a SPIFFE id and is none, are refused (X.509-SVID §2).
 */
export function identityOfNames(uris: readonly string[], hosts: readonly string[]): NamedIdentity {
  const [uri = ""] = uris;
  if (uris.length > 1) return refused;
  const id = parseSpiffeId(uri);
  // The id of a trust domain itself is that of its authority, and of no workload.
  if (id !== undefined && id.path !== "") return { identity: id.text, isSpiffe: true, isRefused: false };
  if (/^"?\s*spiffe:/i.test(uri)) return refused;
  const host = hosts.length === 1 ? hosts[0]?.toLowerCase() : undefined;
  return { identity: host !== undefined && dnsName.test(host) ? host : undefined, isSpiffe: false, isRefused: false };
}

const refused: NamedIdentity = { identity: undefined, isSpiffe: true, isRefused: true };
