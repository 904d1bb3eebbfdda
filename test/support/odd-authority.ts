// The library needs its polyfill before it.
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const minuteMs = 60_000;

/** The certificate that is wanted of an {@link Authority}; without a word, an honest leaf for an hour. */
export interface Wanted {
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
  readonly commonName?: string;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  /** Bits of the key usage; `false` leaves the extension out. */
  readonly keyUsage?: number | false;
  readonly extendedUsage?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A certificate and its key, in PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
  readonly serial: string;
}

export const keyUsage: typeof x509.KeyUsageFlags = x509.KeyUsageFlags;

/** An authority for tests, which issues honest certificates and odd ones. */
export class Authority {
  readonly cert: string;
  readonly key: string;
  readonly #certificate: x509.X509Certificate;
  readonly #signing: webcrypto.CryptoKey;

  private constructor(certificate: x509.X509Certificate, signing: webcrypto.CryptoKey, key: string) {
    this.#certificate = certificate;
    this.#signing = signing;
    this.cert = certificate.toString("pem");
    this.key = key;
  }

  /** A root of its own. */
  static async create(commonName = "test authority", wanted: Wanted = {}): Promise<Authority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...dates(wanted),
      serialNumber: newSerial(),
      name: `CN=${commonName}`,
      keys,
      signingAlgorithm: algorithm,
      extensions: extensionsOf({ isAuthority: true, ...wanted }),
    });
    return new Authority(certificate, keys.privateKey, await pemOf(keys.privateKey));
  }

  /** An authority below this one. */
  async intermediate(commonName: string, wanted: Wanted = {}): Promise<Authority> {
    const { certificate, keys } = await this.#sign({ isAuthority: true, commonName, ...wanted });
    return new Authority(certificate, keys.privateKey, await pemOf(keys.privateKey));
  }

  async issue(wanted: Wanted = {}): Promise<Issued> {
    const { certificate, keys } = await this.#sign(wanted);
    return { cert: certificate.toString("pem"), key: await pemOf(keys.privateKey), serial: certificate.serialNumber };
  }

  /** The list of revoked certificates, PEM. */
  async revocations(serials: readonly string[], nextUpdate: Date = new Date(Date.now() + 60 * minuteMs)): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.#certificate.subject,
      thisUpdate: new Date(Date.now() - minuteMs),
      nextUpdate,
      entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(Date.now() - minuteMs) })),
      signingAlgorithm: algorithm,
      signingKey: this.#signing,
    });
    return list.toString("pem").replaceAll(" CRL-----", " X509 CRL-----").replaceAll("X509 X509", "X509");
  }

  async #sign(wanted: Wanted) {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...dates(wanted),
      serialNumber: newSerial(),
      subject: `CN=${wanted.commonName ?? "test leaf"}`,
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#signing,
      signingAlgorithm: algorithm,
      extensions: extensionsOf(wanted),
    });
    return { certificate, keys };
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
}

function newSerial(): string {
  return `4${randomBytes(15).toString("hex").slice(1)}`;
}

function dates({ notBefore = new Date(Date.now() - minuteMs), notAfter = new Date(Date.now() + 60 * minuteMs) }: Wanted) {
  return { notBefore, notAfter };
}

function extensionsOf({ uris = [], dnsNames = [], ips = [], isAuthority = false, pathLength, keyUsage: bits, extendedUsage = [] }: Wanted) {
  const names = [
    ...uris.map((value) => ({ type: "url" as const, value })),
    ...dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...ips.map((value) => ({ type: "ip" as const, value })),
  ];
  const usage = bits ?? (isAuthority ? keyUsage.keyCertSign | keyUsage.cRLSign : keyUsage.digitalSignature);
  return [
    new x509.BasicConstraintsExtension(isAuthority, pathLength, true),
    ...(usage === false ? [] : [new x509.KeyUsagesExtension(usage, true)]),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ...(extendedUsage.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...extendedUsage])]),
  ];
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}
