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
] as const;

/**
 * What took an instance out of rotation.
 *
 * - `consecutive failures`: so many in a row (`breaker.consecutiveFailures`).
 * - `failure ratio`: more than `breaker.failureRatio` of its outcomes in the last ten seconds.
 * - `connection refused`: no connection could be made, or its certificate was refused; proof with a single failure.
 * - `success rate`: its success rate is far below that of the others.
 * - `failure percentage`: nearly everything it answers is a failure, and the others do better.
 * - `retry-after`: it answered 429 or 503 and asked to be left alone (`Retry-After`).
 * - `health check`: it fails its active health checks.
 * - `operator`: somebody took it out by hand (`mesh.eject`).
 */
export type EjectionRule = (typeof ejectionRules)[number];
