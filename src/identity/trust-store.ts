import { X509Certificate } from "node:crypto";
import { quoted } from "../core/text/clean-text.ts";
import { type CertificateFacts, factsOf } from "./certificate-facts.ts";
import type { Trust } from "./credentials.ts";
import { type RevocationList, readRevocations } from "./revocations.ts";

/** A certificate with what was read from it. */
export interface ReadCertificate {
  readonly certificate: X509Certificate;
  readonly facts: CertificateFacts;
}

/** A {@link Trust}, read. */
export interface TrustStore {
  readonly authorities: readonly ReadCertificate[];
  readonly bundles: ReadonlyMap<string, readonly ReadCertificate[]>;
  /** All of them, which a TLS handshake trusts. */
  readonly trusted: readonly ReadCertificate[];
  readonly revocations: readonly RevocationList[];
}

/** Certificates of authorities, of all trust domains together: twice as many as the largest lists of public ones have. */
export const maxAuthorities = 256;

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, in their order. */
export function certificatesIn(pem: string): string[] {
  return pem.match(block) ?? [];
}

/**
 * Reads a certificate.
 * @throws Error with the reason.
 */
export function readCertificate(certificate: X509Certificate): ReadCertificate {
  return { certificate, facts: factsOf(certificate) };
}

/**
 * Reads all authorities and lists of revoked certificates.
 * @throws Error that names the part which cannot be read.
 */
export function trustStore({ authorities, bundles, revocations = [] }: Trust): TrustStore {
  const count = [authorities, ...bundles.values()].flat().reduce((sum, text) => sum + certificatesIn(text).length, 0);
  if (count > maxAuthorities) throw new Error(`there are ${count} certificates of authorities; ${maxAuthorities} are allowed`);
  const read = readAll("the authorities", authorities);
  const ofDomains = new Map([...bundles].map(([domain, texts]) => [domain, readAll(`the bundle of ${quoted(domain)}`, texts)]));
  const store: TrustStore = {
    authorities: read,
    bundles: ofDomains,
    trusted: [...read, ...[...ofDomains.values()].flat()],
    revocations: revocations.flatMap((text) => named("the revocations", () => readRevocations(text))),
  };
  if (store.trusted.length === 0) throw new Error("there is no authority to judge others by");
  return store;
}

function readAll(what: string, texts: readonly string[]): ReadCertificate[] {
  return texts.flatMap((text) =>
    named(what, () => {
      const found = certificatesIn(text);
      if (found.length === 0) throw new Error("no certificate is in the text (BEGIN CERTIFICATE)");
      return found.map((pem) => readCertificate(new X509Certificate(pem)));
    }),
  );
}

function named<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`${what} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
