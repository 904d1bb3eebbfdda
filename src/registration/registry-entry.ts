import type { MeshError } from "../core/errors.ts";
import type { InstanceStatus } from "./registrar.ts";

/**
 * The entry of one instance in a registry: what a registry has to supply for a `Registrar`. The keeper makes one call at a time and never
 * calls `announce`, `report` or `renew` again once it has called `withdraw`. Every call is made once and rejects on failure: repeating it
 * is the keeper's work.
 */
export interface RegistryEntry {
  /** Unique in the registry. */
  readonly id: string;
  /** Time between two renewals, in milliseconds; `Infinity` where an entry never expires. */
  readonly renewMs: number;
  /** Reasons why this registry may have forgotten the entry, for the message when it had; absent: that it was restarted without its data. */
  readonly lossReasons?: string;
  /** Makes the instance known with `status`, in place of whatever the registry has under its id. */
  announce(status: InstanceStatus, call: EntryCall): Promise<void>;
  /** Changes the status. */
  report(status: InstanceStatus, call: EntryCall): Promise<Recognition>;
  /** Keeps the entry from expiring. `status` is the one that was announced or reported last. */
  renew(status: InstanceStatus, call: EntryCall): Promise<Recognition>;
  /**
   * Changes the weight in the registry and in later announcements; nothing else that the registry knows of the entry changes. Absent where a
   * registry has no weights.
   */
  reweigh?(weight: number, status: InstanceStatus, call: EntryCall): Promise<Recognition>;
  /**
   * Whether the registry has a later announcement of another process under this id. `false` also where that cannot be told. Absent where
   * entries cannot be told apart.
   */
  isReplaced?(call: EntryCall): Promise<boolean>;
  /** Removes the entry. Resolves also when the registry does not know it. */
  withdraw(call: EntryCall): Promise<void>;
  /** Whether `error` is the registry's refusal, which a repetition does not change. */
  isRefusal(error: unknown): boolean;
  /** The `ERR_MESH_REGISTRATION` for a call that failed with `cause`; its message names registry, instance and action. */
  errorOf(action: EntryAction, cause: unknown): MeshError;
}

/** The result of a call about an entry; `forgotten` when the registry has no such entry any more. */
export type Recognition = "known" | "forgotten";

/** The action that a failed call belongs to. */
export type EntryAction = "register" | "report" | "reweigh" | "renew" | "withdraw";

/** The circumstances of one call. */
export interface EntryCall {
  /** `false` when no caller waits for it: the call must not keep the process alive. */
  readonly awaited: boolean;
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}
