/**
 * `inmesh/jwt`: providers for `authentication` in the options of `inbound`, which verify the JSON Web Tokens of requests. It needs the package `jose`.
 *
 * @packageDocumentation
 */
import { readFileSafely } from "../files/read-file.ts";
import { type CompactToken, issuerOf } from "./compact-token.ts";
import { type JwtOptions, type JwtSettings, jwtOptions } from "./jwt-options.ts";
import { downloadKeys } from "./key-download.ts";
import { KeySet, parseKeySet } from "./key-set.ts";
import { fixedKeys, type KeySource } from "./key-source.ts";
import { RenewedKeys } from "./renewed-keys.ts";
import { SignedTokens } from "./signed-tokens.ts";
import { placeOf } from "./token-place.ts";
import { TokenRefused, type TokenVerifier } from "./token-verifier.ts";
import { secretKey } from "./verification-key.ts";

export type { Clock, Timer } from "../core/clock.ts";
export type { Caller, VerifiedToken } from "../core/peers/caller.ts";
export {
  type CallerContext,
  type CallerContextOptions,
  type CallerContextsOptions,
  callerContext,
  callerContexts,
  type PassedOn,
} from "./caller-context.ts";
export type { JwksOption, JwtOptions } from "./jwt-options.ts";
export { type JwtBundleSource, type JwtSvidOptions, jwtSvid } from "./jwt-svid.ts";
export type { TokenPlaceOption } from "./token-place.ts";
export { type ClientCredentialsOptions, clientCredentials, fileToken, type GotToken } from "./token-providers.ts";
export { type TokenPlace, TokenRefused, type TokenVerifier } from "./token-verifier.ts";
export type { PublicAlgorithm, PublicJwk } from "./verification-key.ts";

/** Files are cheap to read, and a new key must serve soon. */
const fileRefreshMs = 10_000;
const maxFileBytes = 262_144;

/**
 * Verifies the JSON Web Tokens of one issuer (RFC 7519, as RFC 8725 advises): `jwt({ issuer, audience, jwks: { url } })`. The key decides on the
 * algorithm, keys come only from the options, and a token must have an end. Verified tokens are remembered for at most a minute, by their digest.
 * @throws TypeError or RangeError naming the option, for a wrong one.
 */
export function jwt(options: JwtOptions): TokenVerifier {
  jwtOptions.check("jwt", options);
  for (const name of ["issuer", "audience"] as const) if (options?.[name] === undefined) throw new TypeError(`jwt: ${name} is missing`);
  if ((options.jwks === undefined) === (options.secret === undefined)) throw new TypeError("jwt: either jwks or secret");
  const settings = jwtOptions.settle(options);
  const { issuer, audience, clock, mode, name = issuer, place, skewMs, maxLifetimeMs, type } = settings;
  const source = keySource(settings);
  const tokens = new SignedTokens({
    provider: name,
    clock,
    demands: { audience: [audience].flat(), skew: skewMs / 1_000, maxLifetime: maxLifetimeMs / 1_000 },
    keysFor(token) {
      if (token.claims["iss"] !== issuer) throw new TokenRefused("it is of another issuer");
      checkType(token, type);
      return source;
    },
    touch: () => void source.keys(),
  });
  return {
    name,
    isRequired: mode === "required",
    place: placeOf("jwt: place", place),
    isFor: (text) => issuerOf(text) === issuer,
    verify: (text) => tokens.verify(text),
  };
}

function keySource(settings: JwtSettings): KeySource {
  const { jwks, secret, algorithms, clock, refreshMs, cooldownMs, maxStaleMs, fetch: ask } = settings;
  if (secret !== undefined) return fixedKeys([secretKey(secret)]);
  const renewed = { clock, algorithms, cooldownMs, maxStaleMs };
  if (jwks !== undefined && "url" in jwks) return new RenewedKeys({ ...renewed, refreshMs, load: () => downloadKeys(jwks.url, ask) });
  if (jwks !== undefined && "file" in jwks) {
    const load = async () => parseKeySet((await readFileSafely(jwks.file, { maxBytes: maxFileBytes })).toString());
    return new RenewedKeys({ ...renewed, load, refreshMs: Math.min(refreshMs, fileRefreshMs), cooldownMs: Math.min(cooldownMs, 1_000) });
  }
  const set = new KeySet(algorithms);
  set.replace(jwks?.keys ?? []);
  if (set.keys.length === 0) throw new TypeError("jwt: jwks.keys has no key for signatures by one of the algorithms");
  return fixedKeys(set.keys);
}

/** Other kinds of tokens of the same issuer, such as those that end a session, must not be taken for this one (RFC 8725 §3.11). */
function checkType({ type }: CompactToken, wanted: string | undefined): void {
  const found = type?.toLowerCase().replace(/^application\//, "");
  if (wanted === undefined ? found === undefined || found === "jwt" || found === "at+jwt" : found === wanted.toLowerCase()) return;
  throw new TokenRefused("it is of another type");
}
