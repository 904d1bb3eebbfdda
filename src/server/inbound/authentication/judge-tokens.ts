import { TokenRefused, type TokenVerifier } from "../../../authentication/token-verifier.ts";
import { warnOfThrow } from "../../../core/observing/fence.ts";
import type { VerifiedToken } from "../../../core/peers/caller.ts";
import { ambiguous, findToken, type TokenCarrier } from "./find-token.ts";

/** Why a request goes no further: it has no token, one that does not hold, or one that cannot be judged now. */
export type Unauthenticated = "missing" | "invalid" | "unavailable";

/** The verified tokens of a request, or why there are none; a promise only where a token is not remembered. */
export type Judgement = readonly VerifiedToken[] | Unauthenticated;

const none: readonly VerifiedToken[] = Object.freeze([]);

/**
 * Judges the tokens of a request by the providers. Each token that stands in a place of one has to hold, by exactly one provider; each required provider
 * has to have one.
 */
export function judgeTokens(carrier: TokenCarrier, providers: readonly TokenVerifier[]): Judgement | Promise<Judgement> {
  const found: (VerifiedToken | Promise<VerifiedToken>)[] = [];
  let isMissing = false;
  const claimed = new Set<string>();
  const unclaimed = new Set<string>();
  for (const provider of providers) {
    const token = findToken(carrier, provider.place);
    if (token === ambiguous) return "invalid";
    const isIts = token !== undefined && isFor(provider, token);
    if (isIts) claimed.add(token);
    else if (token !== undefined) unclaimed.add(token);
    if (!isIts && provider.isRequired) isMissing = true;
    if (!isIts) continue;
    try {
      found.push(provider.verify(token));
    } catch (error) {
      found.push(Promise.reject(error));
    }
  }
  const isWrong = [...unclaimed].some((each) => !claimed.has(each));
  if (found.length === 0) return isWrong ? "invalid" : isMissing ? "missing" : none;
  if (!found.some((each) => each instanceof Promise))
    return isWrong ? "invalid" : isMissing ? "missing" : (found as readonly VerifiedToken[]);
  return settled(found, isWrong, isMissing);
}

async function settled(
  found: readonly (VerifiedToken | Promise<VerifiedToken>)[],
  isWrong: boolean,
  isMissing: boolean,
): Promise<Judgement> {
  const results = await Promise.allSettled(found);
  const reasons = results.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
  if (isWrong || reasons.some((each) => each instanceof TokenRefused)) return "invalid";
  if (reasons.length > 0) {
    warnOfThrow("a provider of authentication", reasons[0]);
    return "unavailable";
  }
  return isMissing ? "missing" : results.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
}

function isFor(provider: TokenVerifier, token: string): boolean {
  try {
    return provider.isFor(token) === true;
  } catch {
    return false;
  }
}
