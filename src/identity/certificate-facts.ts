import type { X509Certificate } from "node:crypto";
import { childrenOf, contentOf, DerError, type DerValue, readDer } from "./der.ts";

/** The parts of a certificate that Node does not show, or shows as one text (RFC 5280 §4). */
export interface CertificateFacts {
  /** The serial number, in hexadecimal. */
  readonly serial: string;
  /** The names of issuer and subject, in hexadecimal DER, for comparisons. */
  readonly issuer: string;
  readonly subject: string;
  /** Whether it may sign certificates (basic constraints). */
  readonly isAuthority: boolean;
  /** Intermediate certificates that may follow below it; `Infinity` without a limit. */
  readonly pathLength: number;
  /** `undefined` for a certificate without the extension. */
  readonly keyUsage: KeyUsage | undefined;
  /** The extensions that may forbid what is below an authority, as constraints of names do: empty where it has none. They are held by OpenSSL alone. */
  readonly restrictions: string;
  /** The names of the extension subjectAltName. */
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
}

/** The uses of a key that matter here (RFC 5280 §4.2.1.3). */
export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly certificateSigning: boolean;
  readonly revocationSigning: boolean;
}

const sequence = 0x30;
const keyUsageId = "551d0f";
const basicConstraintsId = "551d13";
const alternativeNameId = "551d11";
/** Extensions that are held here, or forbid nothing: key identifiers, alternative names of the issuer, and where lists and issuers are found. */
const harmless: ReadonlySet<string> = new Set([
  keyUsageId,
  basicConstraintsId,
  alternativeNameId,
  "551d0e",
  "551d12",
  "551d1f",
  "551d23",
  "551d2e",
  "2b06010505070101",
  "2b0601050507010b",
]);
const uriTag = 0x86;
const dnsTag = 0x82;
/** A name with other characters is printed with quotes and escapes, or is read in two ways; no honest one has them. */
const plainName = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/;

/**
 * Reads a certificate.
 * @throws DerError for one that is not DER, has an extension twice, or an alternative name with a quote, a comma, a backslash or a control character.
 */
export function factsOf(certificate: X509Certificate): CertificateFacts {
  const bytes = certificate.raw;
  const whole = readDer(bytes, 0, bytes.length);
  const [body] = childrenOf(bytes, whole);
  if (whole.tag !== sequence || whole.end !== bytes.length || body === undefined) throw new DerError("it is no certificate");
  const fields = childrenOf(bytes, body);
  // The version is absent from certificates of X.509 v1.
  if (fields[0]?.tag === 0xa0) fields.shift();
  const [serial, , issuer, , subject] = fields;
  if (serial === undefined || issuer === undefined || subject === undefined) throw new DerError("it is no certificate");
  const extensions = extensionsOf(
    bytes,
    fields.find(({ tag }) => tag === 0xa3),
  );
  return {
    serial: hex(contentOf(bytes, serial)),
    issuer: hex(bytes.subarray(issuer.at, issuer.end)),
    subject: hex(bytes.subarray(subject.at, subject.end)),
    ...constraintsOf(extensions.get(basicConstraintsId)),
    restrictions: restrictionsOf(extensions),
    keyUsage: keyUsageOf(extensions.get(keyUsageId)),
    uris: namesOf(extensions.get(alternativeNameId), uriTag),
    dnsNames: namesOf(extensions.get(alternativeNameId), dnsTag),
  };
}

/** The values of the extensions, by their object identifier in hexadecimal. */
function extensionsOf(bytes: Uint8Array, holder: DerValue | undefined): Map<string, Uint8Array> {
  const extensions = new Map<string, Uint8Array>();
  const list = holder === undefined ? undefined : childrenOf(bytes, holder)[0];
  for (const extension of list === undefined ? [] : childrenOf(bytes, list)) {
    const parts = childrenOf(bytes, extension);
    const [id] = parts;
    const value = parts.at(-1);
    if (id === undefined || value?.tag !== 0x04) throw new DerError("an extension has no value");
    const name = hex(contentOf(bytes, id));
    if (extensions.has(name)) throw new DerError("an extension is there twice");
    extensions.set(name, contentOf(bytes, value));
  }
  return extensions;
}

function restrictionsOf(extensions: ReadonlyMap<string, Uint8Array>): string {
  const found: string[] = [];
  for (const [name, value] of extensions) if (!harmless.has(name)) found.push(`${name}=${hex(value)}`);
  return found.sort().join();
}

function constraintsOf(value: Uint8Array | undefined): Pick<CertificateFacts, "isAuthority" | "pathLength"> {
  if (value === undefined) return { isAuthority: false, pathLength: 0 };
  const parts = childrenOf(value, readDer(value, 0, value.length));
  const flag = parts.find(({ tag }) => tag === 0x01);
  const limit = parts.find(({ tag }) => tag === 0x02);
  return {
    isAuthority: flag !== undefined && contentOf(value, flag)[0] !== 0,
    pathLength: limit === undefined ? Number.POSITIVE_INFINITY : Number.parseInt(hex(contentOf(value, limit)) || "0", 16),
  };
}

function keyUsageOf(value: Uint8Array | undefined): KeyUsage | undefined {
  if (value === undefined) return undefined;
  const bits = contentOf(value, readDer(value, 0, value.length))[1] ?? 0;
  return { digitalSignature: (bits & 0x80) !== 0, certificateSigning: (bits & 0x04) !== 0, revocationSigning: (bits & 0x02) !== 0 };
}

function namesOf(value: Uint8Array | undefined, kind: number): string[] {
  if (value === undefined) return [];
  return childrenOf(value, readDer(value, 0, value.length))
    .filter(({ tag }) => tag === kind)
    .map((name) => {
      const text = Buffer.from(contentOf(value, name)).toString("latin1");
      if (!plainName.test(text)) throw new DerError("an alternative name has a character that no name needs");
      return text;
    });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
