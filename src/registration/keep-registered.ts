import type { Clock, Random } from "../core/clock.ts";
import { checkChoice } from "../core/settings/checks.ts";
import { quoted } from "../core/text/clean-text.ts";
import { Announcement } from "./announcement.ts";
import { entryNameRule, isEntryName } from "./entry-name.ts";
import { type InstanceStatus, instanceStatuses, type RegistrationOwner } from "./registrar.ts";
import { RegistrationKeeper } from "./registration-keeper.ts";
import type { RegistryEntry } from "./registry-entry.ts";

/** Options of {@link keepRegistered}. */
export interface KeepRegisteredOptions {
  /** How long the first announcement is repeated while the registry cannot be reached, in milliseconds; 0 makes one attempt. */
  readonly registerTimeoutMs: number;
  /** The status to announce, `initialStatus` of the instance; absent means `up`. */
  readonly initialStatus?: InstanceStatus | undefined;
  /** The third argument of {@link Registrar.register}. */
  readonly owner?: RegistrationOwner | undefined;
  /** Called with the `ERR_MESH_REGISTRATION` of every renewal that failed, and that the keeper repeats, or that found the instance forgotten. */
  readonly onRenewalError?: ((error: Error) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Announces `entry` with its status, with full jitter between the attempts, and keeps it registered until the registration is disposed. Rejects
 * with `ERR_MESH_REGISTRATION` when the registry refuses it or the time is up, with the signal's reason, or, before anything is sent, with a
 * `TypeError` on an id by which a registry could not find the entry again. With an `owner` a rejection comes once the registry has been asked to
 * remove what may have arrived.
 */
export async function keepRegistered(
  entry: RegistryEntry,
  options: KeepRegisteredOptions,
  signal?: AbortSignal,
): Promise<RegistrationKeeper> {
  signal?.throwIfAborted();
  if (!isEntryName(entry.id)) throw new TypeError(`the id of an entry must be ${entryNameRule}, got ${quoted(entry.id)}`);
  const { registerTimeoutMs, clock, random, owner, initialStatus = "up" } = options;
  checkChoice(`initialStatus of ${entry.id}`, initialStatus, instanceStatuses);
  const awaited = owner?.isWaiting ?? true;
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal?.reason);
  const onTimeout = () => stop.abort(new Error(`no answer within ${registerTimeoutMs} ms`));
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = registerTimeoutMs === 0 ? undefined : clock.setTimer(onTimeout, registerTimeoutMs, awaited);
  const status = (): InstanceStatus => owner?.status() ?? initialStatus;
  const announcement = new Announcement(entry, { registerTimeoutMs, awaited, status, clock, random });
  try {
    return new RegistrationKeeper(entry, { ...options, status: await announcement.make(stop.signal) });
  } catch (cause) {
    const takenBack = announcement.takeBack(owner !== undefined);
    // A caller without an owner does not wait: the registry may be what is slow.
    if (owner !== undefined) await takenBack;
    throw signal?.aborted ? signal.reason : entry.errorOf("register", cause);
  } finally {
    clock.clearTimer(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
