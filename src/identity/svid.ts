import { parseSpiffeId, type SpiffeId } from "../core/peers/spiffe-id.ts";
import { quoted } from "../core/text/clean-text.ts";
import type { CertificateFacts } from "./certificate-facts.ts";

/**
 * The SPIFFE id of a certificate by the rules for leaves (X509-SVID §2, §4, §5.2): exactly one URI, which is a SPIFFE id with a path; no authority, and a key
 * that signs neither certificates nor lists. `undefined` for a certificate that claims no SPIFFE id.
 * @throws Error with the rule that is broken.
 */
export function svidOf(facts: CertificateFacts): SpiffeId | undefined {
  if (!facts.uris.some((uri) => /^spiffe:/i.test(uri))) return undefined;
  const [uri = ""] = facts.uris;
  if (facts.uris.length > 1) throw new Error(`the certificate has ${facts.uris.length} URIs; one is allowed beside a SPIFFE id`);
  const id = parseSpiffeId(uri);
  if (id === undefined) throw new Error(`${quoted(uri)} is no SPIFFE id`);
  if (id.path === "") throw new Error(`${id.text} is the id of a trust domain, which no leaf may have`);
  if (facts.isAuthority) throw new Error("the certificate is that of an authority, and no leaf");
  const { keyUsage } = facts;
  if (keyUsage?.digitalSignature !== true) throw new Error("the key usage of the certificate lacks digitalSignature");
  if (keyUsage.certificateSigning || keyUsage.revocationSigning)
    throw new Error("the key usage of the certificate has keyCertSign or cRLSign, which no leaf may have");
  return id;
}
