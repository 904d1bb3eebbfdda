import { type PublicJwk, type VerificationKey, verificationKey } from "./verification-key.ts";

const maxKeys = 256;

/** The keys of an issuer as they are now. A key that stays keeps its object, and one that has gone is marked. */
export class KeySet {
  readonly #algorithms: readonly string[];
  readonly #use: string;
  keys: readonly VerificationKey[] = [];

  constructor(algorithms: readonly string[], use = "sig") {
    this.#algorithms = algorithms;
    this.#use = use;
  }

  /** Puts these in the place of the former ones. */
  replace(jwks: readonly PublicJwk[]): void {
    const former = new Map(this.keys.map((each) => [each.print, each]));
    const next = jwks.slice(0, maxKeys).flatMap((jwk) => verificationKey(jwk, this.#algorithms, this.#use) ?? []);
    this.keys = [...new Map(next.map((each) => [each.print, former.get(each.print) ?? each])).values()];
    const kept = new Set(this.keys);
    for (const each of former.values()) if (!kept.has(each)) each.isActive = false;
  }
}

/** The keys in the text of a JSON Web Key Set (RFC 7517 §5). Throws an Error that quotes nothing of it. */
export function parseKeySet(text: string): readonly PublicJwk[] {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON");
  }
  const { keys } = (given ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error("it has no array `keys`");
  return keys as readonly PublicJwk[];
}
