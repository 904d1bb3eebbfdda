import { TokenRefused } from "./token-verifier.ts";

/** The demands on the claims of a token. */
export interface ClaimDemands {
  readonly audience: readonly string[];
  /** Seconds by which clocks may differ. */
  readonly skew: number;
  /** The longest time that a token may still hold, in seconds. */
  readonly maxLifetime: number;
}

/**
 * Checks the dates and the audience of a token (RFC 7519 §4.1). `now` is in seconds since the epoch. Returns the date of its end.
 * @throws TokenRefused saying which does not hold.
 */
export function checkClaims(claims: Readonly<Record<string, unknown>>, { audience, skew, maxLifetime }: ClaimDemands, now: number): number {
  const { exp, nbf, iat, aud, sub } = claims;
  if (!isDate(exp)) throw new TokenRefused("it has no date of its end");
  if (exp + skew <= now) throw new TokenRefused("it has expired");
  if (exp - skew > now + maxLifetime) throw new TokenRefused("it holds longer than is allowed");
  if (nbf !== undefined && !(isDate(nbf) && nbf - skew <= now)) throw new TokenRefused("it does not hold yet");
  if (iat !== undefined && !(isDate(iat) && iat - skew <= now)) throw new TokenRefused("it was issued in the future");
  if (sub !== undefined && typeof sub !== "string") throw new TokenRefused("its subject is not a text");
  const audiences = Array.isArray(aud) ? (aud as readonly unknown[]) : [aud];
  if (!audiences.every((each) => typeof each === "string") || !audiences.some((each) => audience.includes(each)))
    throw new TokenRefused("it is for another audience");
  return exp;
}

/** Freezes a value of JSON, whose depth is bounded. */
export function frozen<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  for (const each of Object.values(value)) frozen(each);
  return Object.freeze(value);
}

function isDate(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value < 1e11;
}
