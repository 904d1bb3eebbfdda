import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { parseSpiffeId } from "../../core/peers/spiffe-id.ts";
import { leafOf } from "../../identity/shown-certificates.ts";
import { type VerifiedPeer, verifyNames } from "../../identity/verify-peer.ts";
import { verifiedPeerOf } from "../entrance/verified-peer.ts";

const dnsName = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
/** The longest subject that is written out. */
const maxLength = 512;

/**
 * The identity in the client certificate of a connection, where the server has verified it; see {@link identityOfCertificate}. `undefined` without a
 * certificate, and for one that no authority of the server has signed.
 */
export function identityOf(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const certificate = leafOf(socket);
  if (certificate === undefined) return undefined;
  const verified = verifiedPeerOf(socket);
  return verified === undefined ? identityOfCertificate(certificate) : identityOfPeer(verified, certificate);
}

/**
 * The identity that a verified certificate shows: its SPIFFE id, else its DNS name, else its subject (in the order of the certificate), else its
 * fingerprint. A certificate that claims to be an X.509-SVID and is none, as with a second URI, an id of another spelling or the right to sign others,
 * shows none: the rest of it was not made to name a caller.
 */
export function identityOfCertificate(certificate: X509Certificate): string | undefined {
  try {
    return identityOfPeer(verifyNames(certificate, {}), certificate);
  } catch {
    return undefined;
  }
}

/** The identity in the alternative names of a certificate, of which a proxy has written: the only URI, where that is a SPIFFE id, else the only DNS name. */
export function identityOfNames(uris: readonly string[], hosts: readonly string[]): string | undefined {
  const [uri = ""] = uris;
  if (uris.length > 1) return undefined;
  if (!/^"?\s*spiffe:/i.test(uri)) return onlyName(hosts);
  const id = parseSpiffeId(uri);
  // The id of a trust domain itself is that of its authority, and of no workload.
  return id === undefined || id.path === "" ? undefined : id.text;
}

function identityOfPeer({ id, dnsNames }: VerifiedPeer, certificate: X509Certificate): string | undefined {
  const name = id?.text ?? onlyName(dnsNames);
  if (name !== undefined) return name;
  const subject = certificate.subject?.replaceAll("\n", ",");
  return subject === undefined || subject === "" || subject.length > maxLength ? certificate.fingerprint256 : subject;
}

/** Of several names none is the one; a wildcard names nothing. */
function onlyName(names: readonly string[]): string | undefined {
  const name = names.length === 1 ? names[0]?.toLowerCase() : undefined;
  return name !== undefined && dnsName.test(name) ? name : undefined;
}
