import type { KeyObject, X509Certificate } from "node:crypto";

/** Bits of the shortest modulus (NIST SP 800-57: 112 bits of security), and the curves of at least as much. */
const minModulusBits = 2_048;
const curves: ReadonlySet<string | undefined> = new Set(["prime256v1", "secp384r1", "secp521r1", "secp256k1"]);
const edwards: ReadonlySet<string | undefined> = new Set(["ed25519", "ed448"]);

/** The weakness of a certificate's key, whatever the level of security of OpenSSL here is: `RSA of 1024 bits`; `undefined` for one that is strong enough. */
export function weakKeyOf(certificate: Pick<X509Certificate, "publicKey">): string | undefined {
  const key = readable(certificate);
  if (key === undefined) return "one that cannot be read";
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  if (edwards.has(type)) return undefined;
  if (type === "ec") return curves.has(details.namedCurve) ? undefined : `on the curve ${details.namedCurve}`;
  if (type !== "rsa" && type !== "rsa-pss") return `of the kind ${type}, which is not supported`;
  const { modulusLength = 0 } = details;
  return modulusLength >= minModulusBits ? undefined : `RSA of ${modulusLength} bits, and ${minModulusBits} are needed`;
}

/** Node.js reads it when it is first asked for. */
function readable(certificate: Pick<X509Certificate, "publicKey">): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch {
    return undefined;
  }
}
