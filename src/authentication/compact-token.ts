import { strictObject } from "./strict-json.ts";
import { TokenRefused } from "./token-verifier.ts";

/** Bytes of the longest token that is looked at. */
export const maxTokenLength = 8_192;

const base64url = /^[A-Za-z0-9_-]+$/;

/** A signed token in its parts, of which nothing is verified. */
export interface CompactToken {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly type: string | undefined;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Record<string, unknown>;
}

/**
 * Takes a token in the compact form of RFC 7515 §7.1 apart. Refused are: another form, as that of an encrypted token; parts that are not canonical base64url,
 * of which several texts are the same token; headers that ask for extensions (`crit`, `b64`, `zip`, `enc`).
 * @throws TokenRefused saying why.
 */
export function readCompact(token: string): CompactToken {
  if (token.length > maxTokenLength) throw new TokenRefused(`it has more than ${maxTokenLength} bytes`);
  const parts = token.split(".");
  if (parts.length !== 3) throw new TokenRefused("it does not have the three parts of a signed token");
  const [first, second] = parts.map(canonicalBytes) as [Buffer, Buffer, Buffer];
  const header = strictObject(first, "header");
  for (const name of ["crit", "b64", "zip", "enc"])
    if (Object.hasOwn(header, name)) throw new TokenRefused(`its header has "${name}", which is not supported`);
  const { alg, kid, typ } = header;
  if (typeof alg !== "string") throw new TokenRefused("its header has no algorithm");
  if (kid !== undefined && (typeof kid !== "string" || kid.length > 512)) throw new TokenRefused("its key id is not a short text");
  if (typ !== undefined && typeof typ !== "string") throw new TokenRefused("its type is not a text");
  return { algorithm: alg, keyId: kid, type: typ, header, claims: strictObject(second, "payload") };
}

/** The issuer that a token names, verified by nothing; `undefined` for a text that is no token. */
export function issuerOf(token: string): string | undefined {
  if (token.length > maxTokenLength) return undefined;
  const [, payload, , ...more] = token.split(".");
  if (payload === undefined || more.length > 0) return undefined;
  try {
    const { iss } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { iss?: unknown };
    return typeof iss === "string" ? iss : undefined;
  } catch {
    return undefined;
  }
}

/** Only the spelling that an encoder writes: no padding, no other alphabet, no bits that a decoder throws away. */
function canonicalBytes(part: string): Buffer {
  const bytes = Buffer.from(part, "base64url");
  if (!base64url.test(part) || bytes.toString("base64url") !== part) throw new TokenRefused("a part of it is not canonical base64url");
  return bytes;
}
