import type { webcrypto } from "node:crypto";
// The library needs its polyfill before it.
import "reflect-metadata";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type GeneralNameType,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from "@peculiar/x509";

/** A certificate and its key, PEM; `chain` has the intermediate ones behind it, as they are sent. */
export interface Issued {
  readonly certificate: string;
  readonly chain: string;
  readonly key: string;
}

/** What a certificate is issued for. */
export interface Wanted {
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  /** @default an hour ago */
  readonly notBefore?: Date;
  /** @default in an hour */
  readonly notAfter?: Date;
  readonly subject?: string;
  /** In place of those of an end entity. */
  readonly extensions?: readonly Extension[];
}

const hourMs = 3_600_000;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** An authority of these tests: its key lives in this process only. */
export class Authority {
  /** Its own certificate, PEM. */
  readonly certificate: string;
  readonly #own: X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;
  /** The certificates that come with what it issues: its own, where another authority has issued that. */
  readonly #above: string;

  private constructor(own: X509Certificate, keys: webcrypto.CryptoKeyPair, above: string) {
    this.#own = own;
    this.#keys = keys;
    this.#above = above;
    this.certificate = own.toString("pem");
  }

  /** Makes an authority: a root, or one below `issuer`. */
  static async create(name: string, issuer?: Authority, wanted: Wanted = {}): Promise<Authority> {
    const keys = await newKeys();
    const extensions = wanted.extensions ?? [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ];
    const own = await generated(
      { subject: `CN=${name}`, ...wanted, extensions },
      keys,
      issuer === undefined ? undefined : [issuer.#own, issuer.#keys],
    );
    return new Authority(own, keys, issuer === undefined ? "" : `${own.toString("pem")}\n${issuer.#above}`);
  }

  /** The certificate for the name and the key of this authority that another one issues, PEM. */
  async crossSigned(issuer: Authority, wanted: Wanted = {}): Promise<string> {
    const extensions = wanted.extensions ?? [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ];
    return (await generated({ subject: this.#own.subject, ...wanted, extensions }, this.#keys, [issuer.#own, issuer.#keys])).toString(
      "pem",
    );
  }

  /** Issues a certificate for another program, with a key of this kind. */
  async issue(wanted: Wanted, given?: webcrypto.CryptoKeyPair): Promise<Issued> {
    const keys = given ?? (await newKeys());
    const extensions = wanted.extensions ?? [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    ];
    const certificate = (await generated({ ...wanted, extensions }, keys, [this.#own, this.#keys])).toString("pem");
    const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
    return {
      certificate,
      chain: `${certificate}\n${this.#above}`,
      key: `-----BEGIN PRIVATE KEY-----\n${key.match(/.{1,64}/g)?.join("\n")}\n-----END PRIVATE KEY-----\n`,
    };
  }

  /** A list that revokes `certificates` of this authority, PEM. */
  async revoke(certificates: readonly string[]): Promise<string> {
    const entries = certificates.map((pem) => ({ serialNumber: new X509Certificate(pem).serialNumber, revocationDate: new Date() }));
    const dates = { thisUpdate: new Date(Date.now() - hourMs), nextUpdate: new Date(Date.now() + hourMs) };
    const list = await X509CrlGenerator.create({
      issuer: this.#own.subject,
      entries,
      ...dates,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
    });
    return list.toString("pem");
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
}

function generated(
  { uris = [], dnsNames = [], addresses = [], notBefore, notAfter, subject = "", extensions = [] }: Wanted,
  keys: webcrypto.CryptoKeyPair,
  issuer: readonly [X509Certificate, webcrypto.CryptoKeyPair] | undefined,
): Promise<X509Certificate> {
  const names = [
    ...uris.map((value) => ({ type: "url" as GeneralNameType, value })),
    ...dnsNames.map((value) => ({ type: "dns" as GeneralNameType, value })),
    ...addresses.map((value) => ({ type: "ip" as GeneralNameType, value })),
  ];
  const dates = { notBefore: notBefore ?? new Date(Date.now() - hourMs), notAfter: notAfter ?? new Date(Date.now() + hourMs) };
  const all = [...extensions, ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)])];
  const common = { subject, ...dates, extensions: all, signingAlgorithm: algorithm };
  return issuer === undefined
    ? X509CertificateGenerator.createSelfSigned({ name: subject, keys, extensions: all, signingAlgorithm: algorithm, ...dates })
    : X509CertificateGenerator.create({
        ...common,
        issuer: issuer[0].subject,
        publicKey: keys.publicKey,
        signingKey: issuer[1].privateKey,
      });
}
