import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { TokenRefused } from "./token-verifier.ts";

/** Algorithms of keys with a public half. `none` is not among them, and those of a shared secret are for one that the options name. */
export const publicAlgorithms: readonly PublicAlgorithm[] = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** An algorithm by which a token is signed with a key that has a public half. */
export type PublicAlgorithm = "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA" | "Ed25519";

/** A public key of a JSON Web Key Set (RFC 7517). */
export interface PublicJwk extends JsonWebKey {
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
}

/** A key by which tokens are judged. It decides which algorithms are its own; the header of a token only names one of them. */
export interface VerificationKey {
  readonly id: string | undefined;
  readonly algorithms: readonly string[];
  readonly key: KeyObject;
  /** `false` once the set of keys has no such key any more: tokens that it has signed are forgotten. */
  isActive: boolean;
  /** Equal for equal keys. */
  readonly print: string;
}

const curveAlgorithms: ReadonlyMap<string, readonly string[]> = new Map([
  ["P-256", ["ES256"]],
  ["P-384", ["ES384"]],
  ["P-521", ["ES512"]],
  ["Ed25519", ["EdDSA", "Ed25519"]],
]);

const rsaAlgorithms: readonly string[] = publicAlgorithms.slice(0, 6);

/** Bits of the shortest modulus (RFC 7518 §3.3), and the smallest exponent. */
const minModulusBits = 2_048;
const minExponent = 3n;

/** The key in a JWK that is meant for signatures of `use`; `undefined` for one that is for something else, or whose kind is not supported. */
export function verificationKey(jwk: PublicJwk, allowed: readonly string[], use = "sig"): VerificationKey | undefined {
  if (typeof jwk !== "object" || jwk === null) return undefined;
  if (jwk.use === undefined ? use !== "sig" : jwk.use !== use) return undefined;
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes("verify"))) return undefined;
  const ofKind =
    jwk.kty === "RSA" ? rsaAlgorithms : jwk.kty === "EC" || jwk.kty === "OKP" ? (curveAlgorithms.get(String(jwk.crv)) ?? []) : [];
  const own = jwk.alg === undefined ? ofKind : ofKind.filter((each) => each === jwk.alg);
  const algorithms = own.filter((each) => allowed.includes(each));
  if (algorithms.length === 0) return undefined;
  try {
    const { kty, crv, n, e, x, y } = jwk;
    // Of a private key that was published by mistake only the public half.
    const key = createPublicKey({ key: JSON.parse(JSON.stringify({ kty, crv, n, e, x, y })) as JsonWebKey, format: "jwk" });
    const { modulusLength = minModulusBits, publicExponent = minExponent } = key.asymmetricKeyDetails ?? {};
    if (modulusLength < minModulusBits || publicExponent < minExponent) return undefined;
    const print = JSON.stringify([jwk.kid, algorithms, key.export({ type: "spki", format: "der" }).toString("base64")]);
    return { id: typeof jwk.kid === "string" ? jwk.kid : undefined, algorithms, key, isActive: true, print };
  } catch {
    return undefined;
  }
}

/** The key that a shared secret is. */
export function secretKey(secret: Uint8Array): VerificationKey {
  return { id: undefined, algorithms: ["HS256", "HS384", "HS512"], key: createSecretKey(secret), isActive: true, print: "" };
}

/**
 * Chooses the key of a token among those of its issuer. A key id is only looked up among them.
 * @throws TokenRefused where the token names no key and several would do.
 */
export function chooseKey(
  keys: readonly VerificationKey[],
  { keyId, algorithm }: { readonly keyId: string | undefined; readonly algorithm: string },
): VerificationKey | undefined {
  const fit = keys.filter((each) => (keyId === undefined || each.id === keyId) && each.algorithms.includes(algorithm));
  if (fit.length > 1) throw new TokenRefused("it does not say by which of several keys it is signed");
  return fit[0];
}
