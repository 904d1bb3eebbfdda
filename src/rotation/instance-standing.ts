import type { EjectionRule } from "../core/ejection-rule.ts";
import type { InstanceState } from "../core/upstream.ts";

/** The last active health check of an instance. */
export interface HealthCheckResult {
  readonly passed: boolean;
  /** When it ended, in milliseconds since the epoch. */
  readonly atMs: number;
  /** Its duration, in milliseconds. */
  readonly durationMs: number;
  /** The number of checks in a row with this result. */
  readonly inRow: number;
  /** Why it failed; `undefined` when it passed. */
  readonly error: string | undefined;
}

/** The state of an instance, and its reason. */
export interface InstanceStanding {
  readonly state: InstanceState;
  /** The rule that took it out; `undefined` while it is in rotation. */
  readonly rule: EjectionRule | undefined;
  /** When it went out, in milliseconds since the epoch; `undefined` while it is in rotation. */
  readonly sinceMs: number | undefined;
  /** When its pause or its hold ends, in milliseconds since the epoch; `undefined` when it waits for a probe or for a health check that passes. */
  readonly untilMs: number | undefined;
  /** The number of times it has gone out. */
  readonly ejections: number;
  /** `undefined` where no check is configured, and until the first one has ended. */
  readonly healthCheck: HealthCheckResult | undefined;
}
