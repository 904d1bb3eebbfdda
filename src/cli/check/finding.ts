/** How a check went. */
export type FindingState = "ok" | "warn" | "fail";

/** What one check found. */
export interface Finding {
  /** What was checked, in a word or two: `token`. */
  readonly check: string;
  readonly state: FindingState;
  readonly message: string;
  /** What to do; `null` where there is nothing to do. */
  readonly fix: string | null;
}

/** All is well. */
export function ok(check: string, message: string): Finding {
  return { check, state: "ok", message, fix: null };
}

/** It works, but. */
export function warn(check: string, message: string, fix: string): Finding {
  return { check, state: "warn", message, fix };
}

/** It does not work. */
export function fail(check: string, message: string, fix: string): Finding {
  return { check, state: "fail", message, fix };
}
