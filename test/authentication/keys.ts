import { generateKeyPairSync, type JsonWebKey, type KeyObject } from "node:crypto";
import { type CompactJWSHeaderParameters, CompactSign } from "jose";
import type { PublicJwk } from "../../src/authentication/verification-key.ts";

/** A pair of keys of an issuer in a test. */
export interface IssuerKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: KeyObject;
  readonly jwk: PublicJwk;
}

/** Makes a pair of keys for an algorithm. */
export function issuerKey(kid: string, algorithm = "ES256"): IssuerKey {
  const { privateKey, publicKey } =
    algorithm === "EdDSA"
      ? generateKeyPairSync("ed25519")
      : algorithm.startsWith("ES")
        ? generateKeyPairSync("ec", { namedCurve: { ES256: "P-256", ES384: "P-384", ES512: "P-521" }[algorithm] ?? "P-256" })
        : generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return { kid, algorithm, privateKey, jwk: { ...(publicKey.export({ format: "jwk" }) as JsonWebKey), kid, alg: algorithm, use: "sig" } };
}

/** The claims of an honest token at `now`, in seconds. */
export function honestClaims(now = Math.floor(Date.now() / 1_000)): Record<string, unknown> {
  return { iss: "https://issuer.test", aud: "orders", sub: "alice", exp: now + 600, iat: now };
}

/** Signs a payload: an object, or the text itself. */
export function sign(key: IssuerKey, payload: Record<string, unknown> | string = honestClaims(), header: object = {}): Promise<string> {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  const protectedHeader = { alg: key.algorithm, kid: key.kid, ...header } as CompactJWSHeaderParameters;
  return new CompactSign(Buffer.from(text)).setProtectedHeader(protectedHeader).sign(key.privateKey);
}

/** A text as a part of a token. */
export function encoded(text: string | object): string {
  return Buffer.from(typeof text === "string" ? text : JSON.stringify(text)).toString("base64url");
}
