import { childrenOf } from "../../der.ts";

/** The tag of a certificate, a key and a list of revoked certificates. */
const sequence = 0x30;

/**
 * Splits DER values that stand one after the other, as SPIFFE sends chains and bundles.
 * @throws Error that says what `bytes` is, for a value that is cut off, of another type, or not in the one form that DER has.
 */
export function splitDer(what: string, bytes: Uint8Array): readonly Uint8Array[] {
  try {
    return childrenOf(bytes, { start: 0, end: bytes.length }).map(({ tag, at, end }) => {
      if (tag !== sequence) throw new Error("a value is of another type");
      return bytes.subarray(at, end);
    });
  } catch (error) {
    throw new Error(`${what} is no DER: ${(error as Error).message}`);
  }
}

/** One DER value as PEM, with a line break at its end. */
export function pemOf(label: "CERTIFICATE" | "PRIVATE KEY" | "X509 CRL", der: Uint8Array): string {
  const text = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  return `-----BEGIN ${label}-----\n${text.replace(/.{64}(?=.)/g, "$&\n")}\n-----END ${label}-----\n`;
}
