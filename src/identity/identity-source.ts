import type { Credentials } from "./credentials.ts";

/** Where the identity of this process comes from: files, Consul's authority, the SPIFFE Workload API, an own one. */
export interface IdentitySource {
  /** Names the source in messages: `files`, `consul`, `workload-api`. */
  readonly name: string;
  /**
   * Begins to watch for credentials, and tells `listener` of each change until the watch is closed; nothing before `watch` returns. A source repeats by
   * itself what has failed, with pauses that grow.
   */
  watch(listener: IdentityListener): IdentityWatch;
}

/** Hears of the credentials that a source has. */
export interface IdentityListener {
  /** New credentials, whole. Those that do not belong together are refused by the listener, and the last ones stay in use until they expire. */
  update(credentials: Credentials): void;
  /** The last credentials must not be used any more, as where an authority says that this process has no identity. Calls fail until others come. */
  withdraw(reason: Error): void;
  /** The source could not be asked. The last credentials stay in use until they expire. */
  fail(error: Error): void;
}

/** A source that is being watched. */
export interface IdentityWatch {
  /** Ends it: its timers, connections and watches of files. Nothing is told afterwards. */
  close(): void;
}
