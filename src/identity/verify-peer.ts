import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { SpiffeId } from "../core/peers/spiffe-id.ts";
import { parseSpiffeIdForm } from "../core/peers/spiffe-id-form.ts";
import { quoted } from "../core/text/clean-text.ts";
import { chainTo, checkRevocations } from "./chain.ts";
import { PeerRefused } from "./peer-refused.ts";
import { svidOf } from "./svid.ts";
import { type ReadCertificate, readCertificate, type TrustStore } from "./trust-store.ts";

/** The peer that a connection is meant for. Without an id and a name, every peer that a trusted authority has named is admitted. */
export interface ExpectedPeer {
  /** SPIFFE ids, of which the peer must have one; they go before all else. */
  readonly ids?: readonly string[] | undefined;
  /** The form of the SPIFFE id that discovery lists for the endpoint: demanded beside `name`. */
  readonly listedId?: string | undefined;
  /** The host name or IP address that the certificate must carry as alternative name. */
  readonly name?: string | undefined;
}

/** A peer whose certificate was verified. */
export interface VerifiedPeer {
  /** The SPIFFE id of its certificate; `undefined` for a certificate without one. */
  readonly id: SpiffeId | undefined;
  /** The names of its certificate. */
  readonly dnsNames: readonly string[];
  /** The certificate's subject, as Node prints it. It is no proof of a name. */
  readonly subject: string;
}

/**
 * Judges a peer by its certificate and those that it has shown above it, after a handshake: for both sides of a connection. A certificate with a SPIFFE id
 * is judged by the bundle of that id's trust domain, any other one by the authorities. Names count as alternative names only, never the common name.
 * @throws PeerRefused
 */
export function verifyPeer(
  trust: TrustStore,
  leaf: X509Certificate,
  shown: readonly X509Certificate[],
  expected: ExpectedPeer,
  nowMs: number,
): VerifiedPeer {
  const { read, id } = readLeaf(leaf);
  const roots = id === undefined ? trust.authorities : trust.bundles.get(id.trustDomain);
  if (roots === undefined) throw new PeerRefused("authority", `no bundle is known of the trust domain of ${(id as SpiffeId).text}`);
  checkRevocations(chainTo(read, { shown, roots, trusted: trust.trusted }, nowMs), trust.revocations, nowMs);
  checkExpected(read, id, expected);
  return { id, dnsNames: read.facts.dnsNames, subject: leaf.subject };
}

/**
 * Judges the names of a certificate alone, whose chain was verified elsewhere.
 * @throws PeerRefused
 */
export function verifyNames(leaf: X509Certificate, expected: ExpectedPeer): VerifiedPeer {
  const { read, id } = readLeaf(leaf);
  checkExpected(read, id, expected);
  return { id, dnsNames: read.facts.dnsNames, subject: leaf.subject };
}

function readLeaf(leaf: X509Certificate): { readonly read: ReadCertificate; readonly id: SpiffeId | undefined } {
  try {
    // A second reader, which has to agree: Node prints with quotes what could be taken for several names.
    if (leaf.subjectAltName?.includes('"')) throw new Error("an alternative name has a character that no name needs");
    const read = readCertificate(leaf);
    return { read, id: svidOf(read.facts) };
  } catch (error) {
    throw new PeerRefused("certificate", (error as Error).message);
  }
}

function checkExpected({ certificate }: ReadCertificate, id: SpiffeId | undefined, { ids, listedId, name }: ExpectedPeer): void {
  if (ids !== undefined) {
    if (id !== undefined && ids.includes(id.text)) return;
    const wanted = ids.length > 3 ? `${ids.slice(0, 3).join(", ")} or ${ids.length - 3} more` : ids.join(" or ");
    throw new PeerRefused("id", `it is ${id?.text ?? "one without a SPIFFE id"}, and ${wanted} is expected (peer.id)`);
  }
  if (listedId !== undefined && (id === undefined || parseSpiffeIdForm(listedId)?.matches(id) !== true))
    throw new PeerRefused("id", `it is ${id?.text ?? "one without a SPIFFE id"}, and discovery lists ${listedId}`);
  if (name === undefined) return;
  const isNamed = isIP(name) === 0 ? certificate.checkHost(name, { subject: "never", partialWildcards: false }) : certificate.checkIP(name);
  if (isNamed === undefined) throw new PeerRefused("id", `its certificate does not name ${quoted(name)}`);
}
