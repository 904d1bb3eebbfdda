import type { Clock } from "../core/clock.ts";
import { KeySet } from "./key-set.ts";
import type { KeySource } from "./key-source.ts";
import type { PublicJwk, VerificationKey } from "./verification-key.ts";

/** How keys that may change are held. */
export interface RenewedKeysSettings {
  readonly clock: Clock;
  readonly algorithms: readonly string[];
  /** Asks the source. */
  readonly load: () => Promise<readonly PublicJwk[]>;
  /** The age at which keys are asked for again in the background, in milliseconds. */
  readonly refreshMs: number;
  /** The least time between two questions because of an unknown key. */
  readonly cooldownMs: number;
  /** The age from which keys are not used any more. */
  readonly maxStaleMs: number;
}

/** The pause after a failure while there are no keys at all. */
const failurePauseMs = 1_000;

/**
 * Keys of a source that is asked again as they are used: in the background when they have come to an age, and for an unknown key, once for all tokens that
 * wait. It has no timer. While the source fails, the last keys serve on, for a bounded time.
 */
export class RenewedKeys implements KeySource {
  readonly #settings: RenewedKeysSettings;
  readonly #set: KeySet;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined = undefined;
  #error: unknown = undefined;

  constructor(settings: RenewedKeysSettings) {
    this.#settings = settings;
    this.#set = new KeySet(settings.algorithms);
  }

  keys(): readonly VerificationKey[] {
    const { clock, refreshMs, cooldownMs, maxStaleMs } = this.#settings;
    const now = clock.now();
    const age = now - this.#loadedAt;
    if (age > maxStaleMs) {
      if (this.#set.keys.length > 0) this.#set.replace([]);
    } else if (age > refreshMs && now - this.#askedAt > Math.min(cooldownMs, refreshMs)) void this.#ask();
    return this.#set.keys;
  }

  async renewed(): Promise<readonly VerificationKey[]> {
    const { clock, cooldownMs } = this.#settings;
    const pauseMs = this.keys().length === 0 ? Math.min(failurePauseMs, cooldownMs) : cooldownMs;
    if (this.#loading !== undefined || clock.now() - this.#askedAt >= pauseMs) await this.#ask();
    if (this.keys().length === 0 && this.#error !== undefined)
      throw new Error("the keys of the issuer cannot be had", { cause: this.#error });
    return this.#set.keys;
  }

  /** Once at a time; never rejects. */
  #ask(): Promise<void> {
    if (this.#loading !== undefined) return this.#loading;
    this.#askedAt = this.#settings.clock.now();
    this.#loading = this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(): Promise<void> {
    try {
      this.#set.replace(await this.#settings.load());
      this.#loadedAt = this.#settings.clock.now();
      this.#error = undefined;
    } catch (error) {
      this.#error = error;
    }
  }
}
