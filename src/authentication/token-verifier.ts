import type { VerifiedToken } from "../core/peers/caller.ts";

/** A place of a request that a token may stand in. */
export type TokenPlace =
  | { readonly kind: "bearer" }
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "cookie"; readonly name: string }
  | { readonly kind: "query"; readonly name: string };

/** Judges the tokens of one issuer; a provider of `authentication` in the options of `inbound`. `jwt` of `inmesh/jwt` makes one. */
export interface TokenVerifier {
  /** Names it in {@link VerifiedToken.provider}, for the rules of authorization. */
  readonly name: string;
  /** Whether a request without its token is refused. A request with a token that does not hold is refused in any case. */
  readonly isRequired: boolean;
  /** The place in which its tokens stand. */
  readonly place: TokenPlace;
  /**
   * Whether the text is to be judged by this one: it looks at the issuer, which nothing has verified yet. Several providers may share a place.
   */
  isFor(token: string): boolean;
  /**
   * The token, at once where it is remembered. Throws, or rejects with, a {@link TokenRefused} for one that does not hold; anything else means that it
   * could not be judged, as where the keys cannot be had.
   */
  verify(token: string): VerifiedToken | Promise<VerifiedToken>;
}

/** A token does not hold. The message says why, for logs of this service; nothing of it is told to the sender, and no part of the token is in it. */
export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
}
