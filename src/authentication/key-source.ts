import type { VerificationKey } from "./verification-key.ts";

/** Where the keys of an issuer come from. */
export interface KeySource {
  /** The keys that are known; asked for each token, also a remembered one, so that a source can renew them in the background. */
  keys(): readonly VerificationKey[];
  /**
   * The keys after the source was asked again, because none of the known ones fits a token; the known ones where it was asked a moment ago. Rejects where
   * there are none at all.
   */
  renewed(): Promise<readonly VerificationKey[]>;
}

/** Keys that stay. */
export function fixedKeys(keys: readonly VerificationKey[]): KeySource {
  return { keys: () => keys, renewed: () => Promise.resolve(keys) };
}
