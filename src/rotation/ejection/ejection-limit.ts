import type { EjectionRule } from "../../core/ejection-rule.ts";

/** How many instances a service has and how many of them are out. */
export interface RotationCount {
  readonly instances: number;
  /** Out because it is certain that they cannot serve: see {@link isCertain}. */
  readonly gone: number;
  /** Out for what they answer, or fail to. */
  readonly ejected: number;
}

/** Nobody can be reached there, or its own health check or an operator says so: leaving it out takes nothing away from the service. */
export function isCertain(rule: EjectionRule): boolean {
  return rule === "connection refused" || rule === "health check" || rule === "operator";
}

/**
 * Whether one more instance may be taken out by a rule that can be wrong. Of the instances that can be reached at most
 * `maxEjectionPercent` are, the first one of two or more always may, and the last one never: a fault of all of them (a dependency, a
 * request that nobody can serve) must not empty the service.
 */
export function mayEject({ instances, gone, ejected }: RotationCount, maxEjectionPercent: number): boolean {
  const reachable = instances - gone;
  if (reachable < 2) return false;
  return ejected === 0 || (ejected + 1) * 100 <= maxEjectionPercent * reachable;
}
