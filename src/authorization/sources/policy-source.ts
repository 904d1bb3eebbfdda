import type { Policy } from "../policy.ts";

/** Where a policy comes from, where that is no file: a key of a registry, a service of the company. */
export interface PolicySource {
  /** Names the source in messages. */
  readonly name: string;
  /**
   * Begins to watch, and tells `listener` of each policy until the watch is closed; nothing before `watch` returns. A source repeats by itself what has
   * failed, with pauses that grow.
   */
  watch(listener: PolicyListener): PolicyWatch;
}

/** Hears of the policies that a source has. */
export interface PolicyListener {
  /** A new policy, whole: as a text in JSON or YAML, or as an object. One that is wrong is refused by the listener; the last good one stays. */
  update(policy: string | Policy): void;
  /** The source could not be asked, or has no policy. The last one stays; without one, every request is refused. */
  fail(error: Error): void;
}

/** A source that is being watched. */
export interface PolicyWatch {
  /** Ends it: its timers and connections. Nothing is told afterwards. */
  close(): void;
}
