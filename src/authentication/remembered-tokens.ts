import { hash } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import type { VerifiedToken } from "../core/peers/caller.ts";
import type { VerificationKey } from "./verification-key.ts";

/** The longest time for which a token is not verified again, in milliseconds. */
const maxMs = 60_000;
const maxEntries = 10_000;

interface Entry {
  readonly token: VerifiedToken;
  readonly key: VerificationKey;
  readonly until: number;
  readonly expiresAt: number;
}

/** Tokens that were verified a moment ago, by their digest: the texts themselves are kept nowhere. Those used last stay. */
export class RememberedTokens {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The token with this text, if it still holds: it has not expired, and its issuer still has its key. */
  find(text: string): VerifiedToken | undefined {
    const digest = hash("sha256", text, "base64");
    const entry = this.#entries.get(digest);
    if (entry === undefined) return undefined;
    this.#entries.delete(digest);
    if (!entry.key.isActive || this.#clock.now() >= entry.until || this.#clock.wallNow() >= entry.expiresAt) return undefined;
    this.#entries.set(digest, entry);
    return entry.token;
  }

  /** Remembers a token that was verified by `key`; `expiresAt` is in milliseconds since the epoch. */
  add(text: string, token: VerifiedToken, key: VerificationKey, expiresAt: number): void {
    if (this.#entries.size >= maxEntries) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(hash("sha256", text, "base64"), { token, key, until: this.#clock.now() + maxMs, expiresAt });
  }
}
