import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { parseSpiffeId } from "../../../core/peers/spiffe-id.ts";
import { cleanText } from "../../../core/text/clean-text.ts";
import { factsOf } from "../../certificate-facts.ts";
import type { Credentials } from "../../credentials.ts";
import { readRevocations } from "../../revocations.ts";
import { svidOf } from "../../svid.ts";
import { maxAuthorities } from "../../trust-store.ts";
import type { X509SVID, X509SVIDResponse } from "../protos/workload_pb.ts";
import { pemOf, splitDer } from "./der.ts";

/** Credentials out of one message, and what the source needs to know of them. */
export interface ReadSvid {
  readonly credentials: Credentials;
  /** Milliseconds since the epoch at which the certificate expires. */
  readonly expiresAtMs: number;
}

/**
 * The credentials in a message of the Workload API: the first SVID, or the first with `hint`; its own bundle and the federated ones; the lists of
 * revoked certificates. `undefined` where the message is well but has no SVID with that hint: it is withdrawn.
 * @throws Error naming the field, for a message that lacks a field, or whose parts cannot be read or do not belong together.
 */
export function credentialsOf(message: X509SVIDResponse, hint: string | undefined): ReadSvid | undefined {
  if (message.svids.length === 0) throw new Error("the message has no SVID");
  const svid = hint === undefined ? message.svids[0] : message.svids.find((each) => each.hint === hint);
  if (svid === undefined) return undefined;
  const id = parseSpiffeId(svid.spiffeId);
  if (id === undefined || id.path === "") throw new Error(`"${cleanText(svid.spiffeId)}" is no SPIFFE id of a workload`);
  const chain = certificatesIn(`the certificate chain of ${id.text}`, svid.x509Svid);
  const [leaf] = chain;
  if (leaf === undefined) throw new Error(`${id.text} has no certificate`);
  checkLeaf(leaf.certificate, id.text);
  const key = keyOf(svid, leaf.certificate, id.text);
  const bundles = new Map<string, readonly string[]>();
  for (const [name, bytes] of Object.entries(message.federatedBundles)) {
    const domain = parseSpiffeId(name);
    if (domain === undefined || domain.path !== "") throw new Error(`"${cleanText(name)}" is no SPIFFE id of a trust domain`);
    bundles.set(domain.trustDomain, pemsIn(`the bundle of ${domain.text}`, bytes));
  }
  // The bundle beside the SVID is that of its own domain, whatever a federated one of the same name says.
  bundles.set(id.trustDomain, pemsIn(`the bundle of spiffe://${id.trustDomain}`, svid.bundle));
  return {
    credentials: {
      certificate: chain.map(({ pem }) => pem).join(""),
      key,
      trust: { authorities: [], bundles, revocations: message.crl.map(revocationsOf) },
    },
    expiresAtMs: leaf.certificate.validToDate.getTime(),
  };
}

interface ReadCertificate {
  readonly pem: string;
  readonly certificate: X509Certificate;
}

function certificatesIn(what: string, bytes: Uint8Array): readonly ReadCertificate[] {
  const parts = splitDer(what, bytes);
  if (parts.length > maxAuthorities) throw new Error(`${what} has ${parts.length} certificates; ${maxAuthorities} are allowed`);
  return parts.map((der, index) => {
    try {
      return { pem: pemOf("CERTIFICATE", der), certificate: new X509Certificate(der) };
    } catch {
      throw new Error(`certificate ${index + 1} of ${what} cannot be read`);
    }
  });
}

function pemsIn(what: string, bytes: Uint8Array): readonly string[] {
  const pems = certificatesIn(what, bytes).map(({ pem }) => pem);
  if (pems.length === 0) throw new Error(`${what} is empty`);
  return pems;
}

/** The id that the message gives must be that of the certificate, by the rules for leaves. */
function checkLeaf(leaf: X509Certificate, id: string): void {
  let found: string | undefined;
  try {
    found = svidOf(factsOf(leaf))?.text;
  } catch (error) {
    throw new Error(`the certificate is not one of ${id}: ${(error as Error).message}`);
  }
  if (found !== id) throw new Error(`the certificate is not one of ${id}`);
}

function keyOf({ x509SvidKey }: X509SVID, leaf: X509Certificate, id: string): string {
  // Errors of the parser are not passed on: they might quote the key.
  const pem = splitDer(`the key of ${id}`, x509SvidKey).length === 1 ? pemOf("PRIVATE KEY", x509SvidKey) : undefined;
  if (pem === undefined) throw new Error(`the key of ${id} is no single PKCS#8 key`);
  let belongs: boolean;
  try {
    belongs = leaf.checkPrivateKey(createPrivateKey(pem));
  } catch {
    throw new Error(`the key of ${id} cannot be read`);
  }
  if (!belongs) throw new Error(`the key is not that of the certificate of ${id}`);
  return pem;
}

function revocationsOf(bytes: Uint8Array, index: number): string {
  const what = `revocation list ${index + 1}`;
  const pem = splitDer(what, bytes).length === 1 ? pemOf("X509 CRL", bytes) : "";
  try {
    readRevocations(pem);
    createSecureContext({ crl: pem });
  } catch {
    throw new Error(`${what} cannot be read`);
  }
  return pem;
}
