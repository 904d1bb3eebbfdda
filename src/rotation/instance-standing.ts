import type { EjectionRule } from "../core/ejection-rule.ts";
import type { InstanceState } from "../core/upstream.ts";

/** The last active health check of an instance. */
export interface HealthCheckResult {
  readonly passed: boolean;
  /** When it ended, in milliseconds since the epoch. */
  readonly atMs: number;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
  /** How many in a row have ended so. */
  readonly inRow: number;
  /** Why it failed; `undefined` when it passed. */
  readonly error: string | undefined;
}

/** Where an instance stands in the rotation, and why. */
export interface InstanceStanding {
  readonly state: InstanceState;
  /** What took it out; `undefined` while it is in rotation. */
  readonly rule: EjectionRule | undefined;
  /** Since when it is out, in milliseconds since the epoch. */
  readonly sinceMs: number | undefined;
  /** When its pause ends, in milliseconds since the epoch; `undefined` when it waits for a probe or for a health check that passes. */
  readonly untilMs: number | undefined;
  /** Times it has been taken out. */
  readonly ejections: number;
  /** `undefined` where none is configured, or none has ended yet. */
  readonly healthCheck: HealthCheckResult | undefined;
}
