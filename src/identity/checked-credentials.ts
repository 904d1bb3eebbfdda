import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureVersion } from "node:tls";
import type { SpiffeId } from "../core/peers/spiffe-id.ts";
import { isWithinDates } from "./chain.ts";
import type { Credentials } from "./credentials.ts";
import { svidOf } from "./svid.ts";
import { certificatesIn, type ReadCertificate, readCertificate, type TrustStore, trustStore } from "./trust-store.ts";

/** Certificates of a chain, the leaf among them: every handshake sends all. */
const maxChain = 16;

/** Which secure context is wanted. */
export interface ContextOptions {
  /** The oldest version of TLS that is spoken. */
  readonly minVersion: SecureVersion;
  /** The SPIFFE trust domain whose authorities alone are trusted, where the peer's is known before the handshake. */
  readonly trustDomain?: string | undefined;
}

/** Credentials that belong together, with all that is made of them. */
export class CheckedCredentials {
  readonly trust: TrustStore;
  /** The SPIFFE id of the certificate; `undefined` for one without. */
  readonly id: SpiffeId | undefined;
  /** The end of the certificate in milliseconds since the epoch; of a chain, the earliest. */
  readonly expiresAtMs: number;
  /** The lifetime of the certificate, in milliseconds. */
  readonly lifetimeMs: number;
  /** Private, so that no inspection of this object shows the key. */
  readonly #credentials: Credentials;
  readonly #contexts = new Map<string, SecureContext>();

  /**
   * Checks the whole of it: that the key belongs to the certificate, that the certificate is within its dates and keeps the rules of its SPIFFE id, that each
   * authority can be read, and that TLS takes them.
   * @throws Error with the part and the reason, without any text of them.
   */
  constructor(credentials: Credentials, nowMs: number) {
    const texts = certificatesIn(credentials.certificate);
    if (texts.length > maxChain) throw new Error(`the certificate comes with a chain of ${texts.length}; ${maxChain} are allowed`);
    const chain = texts.map((pem) => readable(() => new X509Certificate(pem)));
    const [leaf] = chain;
    if (leaf === undefined) throw new Error("the certificate is no PEM (BEGIN CERTIFICATE)");
    if (!leaf.checkPrivateKey(keyOf(credentials.key))) throw new Error("the key does not belong to the certificate");
    for (const certificate of chain) checkDates(certificate, nowMs);
    this.#credentials = credentials;
    this.id = svidOf(readable(() => readCertificate(leaf)).facts);
    this.trust = trustStore(credentials.trust);
    this.expiresAtMs = Math.min(...chain.map(({ validToDate }) => validToDate.getTime()));
    this.lifetimeMs = leaf.validToDate.getTime() - leaf.validFromDate.getTime();
    this.secureContext({ minVersion: "TLSv1.3" });
  }

  /** The credentials as the source gave them: with the key, for listeners of TLS. */
  get credentials(): Credentials {
    return this.#credentials;
  }

  /** All authorities, of all trust domains: PEM, one certificate each, also where a source gave several in one text, without a line between them. */
  get authorities(): readonly string[] {
    return pemOf(this.trust.trusted);
  }

  /** The secure context for connections of this process, made once for each set of options. */
  secureContext({ minVersion, trustDomain }: ContextOptions): SecureContext {
    const name = `${minVersion} ${trustDomain ?? ""}`;
    const known = this.#contexts.get(name);
    if (known !== undefined) return known;
    const bundle = trustDomain === undefined ? undefined : this.trust.bundles.get(trustDomain);
    const { certificate, key } = this.#credentials;
    const context = createSecureContext({
      cert: certificate,
      key,
      ca: [...(bundle === undefined ? this.authorities : pemOf(bundle))],
      minVersion,
      // A bundle may hold an intermediate authority without the root above it.
      allowPartialTrustChain: true,
    });
    this.#contexts.set(name, context);
    return context;
  }
}

function pemOf(certificates: readonly ReadCertificate[]): string[] {
  return certificates.map(({ certificate }) => certificate.toString());
}

function keyOf(pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause is not kept: its message may quote the text.
    throw new Error("the key is no private key in PEM, or is encrypted");
  }
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`the certificate cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function checkDates(certificate: X509Certificate, nowMs: number): void {
  if (isWithinDates(certificate, nowMs)) return;
  const { validFromDate, validToDate } = certificate;
  throw new Error(`the certificate is valid from ${validFromDate.toISOString()} to ${validToDate.toISOString()}, which is not now`);
}
