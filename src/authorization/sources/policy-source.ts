import type { Caller } from "../../core/peers/caller.ts";
import type { Decision } from "../compiled-policy.ts";
import type { Policy } from "../policy.ts";
import type { AuthorizationRequest } from "../request.ts";

/** Where a policy comes from, where that is no file: the intentions of Consul (`intentions` of `consul()`), an own one. */
export interface PolicySource {
  /** Names the source in messages. */
  readonly name: string;
  /**
   * Begins to watch, and tells `listener` of each policy until the watch is closed; nothing before `watch` returns. A source repeats by itself what has
   * failed, with pauses that grow.
   */
  watch(listener: PolicyListener): PolicyWatch;
}

/** A policy that decides by itself, in place of rules: the intentions of Consul, an own one. */
export interface DecidingPolicy {
  /** Whether decisions are only reported. */
  readonly dryRun: boolean;
  /** `nowMs`: the time of day, in milliseconds since 1970. A request for which it throws is denied. */
  decide(request: AuthorizationRequest, caller: Caller, nowMs: number): Decision;
}

/** Hears of the policies that a source has. */
export interface PolicyListener {
  /** A new policy, whole: as a text in JSON or YAML, as an object, or as one that decides by itself. One that is wrong is refused by the listener; the last good one stays. */
  update(policy: string | Policy | DecidingPolicy): void;
  /** The source could not be asked, or has no policy. The last one stays; without one, every request is refused. */
  fail(error: Error): void;
}

/** A source that is being watched. */
export interface PolicyWatch {
  /** Ends it: its timers and connections. Nothing is told afterwards. */
  close(): void;
}
