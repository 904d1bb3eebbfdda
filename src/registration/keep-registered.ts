import { type Clock, type Random, sleepUnlessAborted } from "../core/clock.ts";
import { quoted } from "../core/text/clean-text.ts";
import { entryNameRule, isEntryName } from "./entry-name.ts";
import { RegistrationKeeper } from "./registration-keeper.ts";
import type { RegistryEntry } from "./registry-entry.ts";

/** Options of {@link keepRegistered}. */
export interface KeepRegisteredOptions {
  /** How long the first announcement is repeated while the registry cannot be reached, in milliseconds; 0 makes one attempt. */
  readonly registerTimeoutMs: number;
  /** Called with the `ERR_MESH_REGISTRATION` of every renewal that failed, and that the keeper repeats, or that found the instance forgotten. */
  readonly onRenewalError?: ((error: Error) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

const retryBaseMs = 100;
const retryCapMs = 2_000;

/**
 * Announces `entry` as up, with full jitter between the attempts, and keeps it registered until the registration is disposed. Rejects with
 * `ERR_MESH_REGISTRATION` when the registry refuses it or the time is up, with the signal's reason, or, before anything is sent, with a
 * `TypeError` on an id by which a registry could not find the entry again.
 */
export async function keepRegistered(
  entry: RegistryEntry,
  options: KeepRegisteredOptions,
  signal?: AbortSignal,
): Promise<RegistrationKeeper> {
  signal?.throwIfAborted();
  if (!isEntryName(entry.id)) throw new TypeError(`the id of an entry must be ${entryNameRule}, got ${quoted(entry.id)}`);
  const { registerTimeoutMs, clock } = options;
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal?.reason);
  const onTimeout = () => stop.abort(new Error(`no answer within ${registerTimeoutMs} ms`));
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = registerTimeoutMs === 0 ? undefined : clock.setTimer(onTimeout, registerTimeoutMs);
  const announcement = new Announcement(entry, options);
  try {
    await announcement.make(stop.signal);
    return new RegistrationKeeper(entry, options);
  } catch (cause) {
    // An attempt without an answer may have been carried out. The caller does not wait: the registry may be what is slow.
    if (announcement.mayBeListed) entry.withdraw({ awaited: false }).catch(() => {});
    throw signal?.aborted ? signal.reason : entry.errorOf("register", cause);
  } finally {
    clock.clearTimer(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** The first announcement of an entry, which takes as many attempts as the registry needs. */
class Announcement {
  readonly #entry: RegistryEntry;
  readonly #options: KeepRegisteredOptions;
  #mayBeListed = false;

  constructor(entry: RegistryEntry, options: KeepRegisteredOptions) {
    this.#entry = entry;
    this.#options = options;
  }

  /** Whether an attempt ended otherwise than by a refusal, so that the registry may have the entry. */
  get mayBeListed(): boolean {
    return this.#mayBeListed;
  }

  /** Resolves once the registry has accepted the entry. Rejects with the registry's last failure, where there is one, on abort too. */
  async make(signal: AbortSignal): Promise<void> {
    const { registerTimeoutMs, clock, random } = this.#options;
    let failure: unknown;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#entry.announce("up", { awaited: true, signal });
        return;
      } catch (error) {
        const isRefusal = !signal.aborted && this.#entry.isRefusal(error);
        if (!isRefusal) this.#mayBeListed = true;
        // What the registry answered says more than that the time is up.
        if (signal.aborted) throw failure ?? error;
        if (isRefusal || registerTimeoutMs === 0) throw error;
        failure = error;
      }
      try {
        await sleepUnlessAborted(clock, random() * Math.min(retryCapMs, retryBaseMs * 2 ** Math.min(attempt, 20)), signal);
      } catch {
        throw failure;
      }
    }
  }
}
