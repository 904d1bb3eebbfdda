import type { JsonWebKey } from "node:crypto";
import { parseSpiffeId } from "../../../core/peers/spiffe-id.ts";
import { quoted } from "../../../core/text/clean-text.ts";
import type { JWTBundlesResponse, JWTSVIDResponse } from "../protos/workload_pb.ts";

/** The token that was asked for. */
export interface WantedToken {
  readonly audience: string;
  readonly id: string | undefined;
  readonly nowMs: number;
}

/**
 * The first token of an answer, with the end that it names itself.
 * @throws Error without the token, for none, and for one that is of another id or audience, has ended, or names no end.
 */
export function tokenOf(
  { svids }: JWTSVIDResponse,
  { audience, id, nowMs }: WantedToken,
): { readonly token: string; readonly expiresAtMs: number } {
  const svid = id === undefined ? svids[0] : svids.find(({ spiffeId }) => spiffeId === id);
  if (svid === undefined || svid.svid === "") throw new Error(`the answer has no token${id === undefined ? "" : ` of ${id}`}`);
  const { sub, aud, exp } = claimsOf(svid.svid);
  if (sub !== svid.spiffeId || parseSpiffeId(svid.spiffeId) === undefined)
    throw new Error("the token is not one of the id that the answer names");
  if (!(Array.isArray(aud) ? aud : [aud]).includes(audience)) throw new Error("the token is not for that audience");
  if (typeof exp !== "number" || !Number.isFinite(exp)) throw new Error("the token names no end");
  if (exp * 1_000 <= nowMs) throw new Error("the token has ended");
  return { token: svid.svid, expiresAtMs: exp * 1_000 };
}

/** A public key of a JWT bundle (RFC 7517 §4). */
export interface JwtBundleKey extends JsonWebKey {
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
}

/**
 * The keys for JWT-SVIDs in a message, by the name of their trust domain: those with `use: "jwt-svid"` (Trust Domain and Bundle §4.2).
 * @throws Error that names the domain, for a name that is none and a document that is no JWKS.
 */
export function jwtBundlesOf({ bundles }: JWTBundlesResponse): ReadonlyMap<string, readonly JwtBundleKey[]> {
  return new Map(
    Object.entries(bundles).map(([name, bytes]) => {
      const domain = parseSpiffeId(name);
      if (domain === undefined || domain.path !== "") throw new Error(`${quoted(name)} is no SPIFFE id of a trust domain`);
      return [domain.trustDomain, keysOf(domain.text, bytes)];
    }),
  );
}

function keysOf(domain: string, bytes: Uint8Array): readonly JwtBundleKey[] {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Error(`the JWT bundle of ${domain} is no JSON`);
  }
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.some((key) => typeof (key as { kty?: unknown } | null)?.kty !== "string"))
    throw new Error(`the JWT bundle of ${domain} is no JWKS`);
  return (keys as JwtBundleKey[]).filter(({ use }) => use === "jwt-svid");
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const [, payload, signature, ...rest] = token.split(".");
  try {
    if (payload === undefined || signature === undefined || signature === "" || rest.length > 0) throw new Error();
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    if (typeof claims !== "object" || claims === null) throw new Error();
    return claims as Record<string, unknown>;
  } catch {
    // Without the parser's error, which quotes the text.
    throw new Error("the token is no signed JWT");
  }
}
