import type { EjectionRule } from "../../core/ejection-rule.ts";

/** The number of instances that a service has, and of those that are out of rotation. */
export interface RotationCount {
  readonly instances: number;
  /** Out by a rule that {@link isCertain}: they are not reachable. */
  readonly unreachable: number;
  /** Out by any other rule. */
  readonly ejected: number;
}

/**
 * Whether a rule cannot blame the wrong instance: no connection can be made to it, or its own health check or an operator says so. Leaving it
 * out takes nothing away from the service.
 */
export function isCertain(rule: EjectionRule): boolean {
  return rule === "connection refused" || rule === "health check" || rule === "operator";
}

/**
 * Whether a rule that may blame the wrong instance may take out one more. It may take out `maxEjectionPercent` of the reachable instances, one
 * of two or more always, and the last one never: a fault of all instances, such as a failing dependency, must not empty the service.
 */
export function mayEject({ instances, unreachable, ejected }: RotationCount, maxEjectionPercent: number): boolean {
  const reachable = instances - unreachable;
  if (reachable < 2) return false;
  return ejected === 0 || (ejected + 1) * 100 <= maxEjectionPercent * reachable;
}
