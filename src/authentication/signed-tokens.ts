import type { Clock } from "../core/clock.ts";
import type { VerifiedToken } from "../core/peers/caller.ts";
import { type ClaimDemands, checkClaims, frozen } from "./claims.ts";
import { type CompactToken, readCompact } from "./compact-token.ts";
import type { KeySource } from "./key-source.ts";
import { loadJose } from "./load-jose.ts";
import { RememberedTokens } from "./remembered-tokens.ts";
import { TokenRefused } from "./token-verifier.ts";
import { chooseKey, type VerificationKey } from "./verification-key.ts";

/** How the tokens of a provider are judged. */
export interface JudgedTokens {
  readonly provider: string;
  readonly clock: Clock;
  readonly demands: ClaimDemands;
  /** The keys that a token must be signed by; throws a {@link TokenRefused} for one that this provider does not judge. */
  readonly keysFor: (token: CompactToken) => KeySource;
  /** The source of the keys of a remembered token, asked so that it renews them. */
  readonly touch: () => void;
}

/** Verifies signed tokens, and remembers them for a minute at most. */
export class SignedTokens {
  readonly #judged: JudgedTokens;
  readonly #remembered: RememberedTokens;

  constructor(judged: JudgedTokens) {
    // The missing package is an error here, before any request.
    loadJose();
    this.#judged = judged;
    this.#remembered = new RememberedTokens(judged.clock);
  }

  verify(text: string): VerifiedToken | Promise<VerifiedToken> {
    // First: what has gone from the keys is not remembered.
    this.#judged.touch();
    return this.#remembered.find(text) ?? this.#verify(text);
  }

  async #verify(text: string): Promise<VerifiedToken> {
    const { clock, demands, keysFor, provider } = this.#judged;
    const token = readCompact(text);
    const source = keysFor(token);
    // Before the signature, which costs a hundred times as much.
    const expires = checkClaims(token.claims, demands, clock.wallNow() / 1_000);
    const key = chooseKey(source.keys(), token) ?? chooseKey(await source.renewed(), token);
    if (key === undefined) throw new TokenRefused("its issuer has no such key for its algorithm");
    await checkSignature(text, token, key);
    // It may have gone, or the token ended, meanwhile.
    if (!key.isActive) throw new TokenRefused("its key was withdrawn");
    checkClaims(token.claims, demands, clock.wallNow() / 1_000);
    const { iss, sub } = token.claims;
    const verified = Object.freeze({
      provider,
      issuer: typeof iss === "string" ? iss : "",
      subject: typeof sub === "string" ? sub : undefined,
      claims: frozen(token.claims),
    });
    this.#remembered.add(text, verified, key, (expires + demands.skew) * 1_000);
    return verified;
  }
}

async function checkSignature(text: string, { algorithm }: CompactToken, { key }: VerificationKey): Promise<void> {
  try {
    await loadJose().compactVerify(text, key, { algorithms: [algorithm] });
  } catch {
    throw new TokenRefused("its signature does not hold");
  }
}
