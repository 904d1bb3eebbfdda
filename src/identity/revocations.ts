import { createPublicKey, type KeyObject, verify, type X509Certificate } from "node:crypto";
import { childrenOf, contentOf, DerError, readDer } from "./der.ts";

/** One list of revoked certificates (RFC 5280 §5), whose signature has still to be checked against its issuer. */
export interface RevocationList {
  /** The name of its issuer, in hexadecimal DER. */
  readonly issuer: string;
  /** The serial numbers, in hexadecimal. */
  readonly serials: ReadonlySet<string>;
  /** The time by which the next list was to be there, in milliseconds since the epoch; `undefined` where the list names none. */
  readonly nextUpdateMs: number | undefined;
  /** Whether the key of `issuer` has signed it. */
  isSignedBy(issuer: X509Certificate): boolean;
}

const block = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;
/** The hash of each signature, by the object identifier of its algorithm: RSA (PKCS #1), ECDSA, and none for Ed25519. */
const hashes: ReadonlyMap<string, string | null> = new Map([
  ["2a864886f70d01010b", "sha256"],
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  ["2a8648ce3d040302", "sha256"],
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
  ["2b6570", null],
]);

/**
 * Reads the lists of a PEM text.
 * @throws Error for a text without a list, or with one that cannot be read: a list that is passed over would let revoked certificates in.
 */
export function readRevocations(pem: string): RevocationList[] {
  const lists = [...pem.matchAll(block)].map(([, text = ""]) => listOf(Buffer.from(text, "base64")));
  if (lists.length === 0) throw new DerError("it holds no list of revoked certificates (BEGIN X509 CRL)");
  return lists;
}

function listOf(bytes: Buffer): RevocationList {
  const whole = readDer(bytes, 0, bytes.length);
  const [body, algorithm, signature] = childrenOf(bytes, whole);
  if (body === undefined || algorithm === undefined || signature === undefined) throw new DerError("it is no list of revoked certificates");
  const fields = childrenOf(bytes, body);
  if (fields[0]?.tag === 0x02) fields.shift();
  const [, issuer, , ...rest] = fields;
  if (issuer === undefined) throw new DerError("it is no list of revoked certificates");
  const next = rest.find(({ tag }) => tag === 0x17 || tag === 0x18);
  const revoked = rest.find(({ tag }) => tag === 0x30);
  const serials = new Set<string>();
  for (const entry of revoked === undefined ? [] : childrenOf(bytes, revoked)) {
    const [serial] = childrenOf(bytes, entry);
    if (serial !== undefined) serials.add(bytes.toString("hex", serial.start, serial.end));
  }
  const [algorithmId] = childrenOf(bytes, algorithm);
  const hash = algorithmId === undefined ? undefined : hashes.get(bytes.toString("hex", algorithmId.start, algorithmId.end));
  // A signature that cannot be checked would let the revoked certificates of the list in.
  if (hash === undefined) throw new DerError("a list of revoked certificates is signed by an algorithm that is not supported");
  const signed = bytes.subarray(body.at, body.end);
  // The first byte of a bit string counts its unused bits.
  const proof = contentOf(bytes, signature).subarray(1);
  return {
    issuer: bytes.toString("hex", issuer.at, issuer.end),
    serials,
    nextUpdateMs: next === undefined ? undefined : timeOf(bytes.toString("latin1", next.start, next.end)),
    isSignedBy: ({ publicKey }) => isValid(hash, signed, publicKey, proof),
  };
}

function isValid(hash: string | null, signed: Uint8Array, key: KeyObject, proof: Uint8Array): boolean {
  try {
    return verify(hash, signed, createPublicKey({ key: key.export({ type: "spki", format: "pem" }), format: "pem" }), proof);
  } catch {
    return false;
  }
}

/** `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280 §5.1.2.4). */
function timeOf(text: string): number {
  const full = text.length === 13 ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const [, ...parts] = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(full) ?? [];
  const [year, month, day, hour, minute, second] = parts.map(Number);
  if (parts.length !== 6) throw new DerError("a date cannot be read");
  return Date.UTC(year as number, (month as number) - 1, day as number, hour as number, minute as number, second as number);
}
