/** All values of {@link EjectionRule}. */
export const ejectionRules = [
  "consecutive failures",
  "failure ratio",
  "connection refused",
  "success rate",
  "failure percentage",
  "retry-after",
  "health check",
  "operator",
  "leaving",
] as const;

/**
 * The rule by which an instance was taken out of rotation.
 *
 * - `consecutive failures`: `breaker.consecutiveFailures` attempts in a row failed.
 * - `failure ratio`: more than `breaker.failureRatio` of its attempts in the last ten seconds failed.
 * - `connection refused`: no connection could be made, or its certificate was refused; one such failure is enough.
 * - `success rate`: its success rate is far below that of the other instances (`ejection.successRate`).
 * - `failure percentage`: nearly all of its attempts failed, and the other instances do better (`ejection.failurePercentage`).
 * - `retry-after`: it answered 503 and asked for a pause (`Retry-After`).
 * - `health check`: it fails its active health checks.
 * - `operator`: an operator took it out (`mesh.eject`).
 * - `leaving`: it has said itself that it is about to stop (`inmesh/server`).
 */
export type EjectionRule = (typeof ejectionRules)[number];
