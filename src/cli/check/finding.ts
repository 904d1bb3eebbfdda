/** Result of a check. */
export type FindingState = "ok" | "warn" | "fail";

/** One finding of a check. */
export interface Finding {
  /** Subject of the check in a word or two: `token`. */
  readonly check: string;
  readonly state: FindingState;
  readonly message: string;
  /** The remedy; `null` where none is needed. */
  readonly fix: string | null;
}

/** A check that passed. */
export function ok(check: string, message: string): Finding {
  return { check, state: "ok", message, fix: null };
}

/** A check that passed with a reservation. */
export function warn(check: string, message: string, fix: string): Finding {
  return { check, state: "warn", message, fix };
}

/** A check that failed. */
export function fail(check: string, message: string, fix: string): Finding {
  return { check, state: "fail", message, fix };
}
