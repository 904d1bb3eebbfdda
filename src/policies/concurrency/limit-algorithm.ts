/** One attempt that has ended, as a limit learns from it. */
export interface LimitSample {
  /** Time to the response head, or to the failure, in milliseconds. */
  readonly ms: number;
  /** Attempts in flight when the attempt began, itself included. */
  readonly inFlight: number;
  /** The instance had no room for it: it timed out, could not be connected to, or answered 502, 503 or 504. An attempt that was answered with 429 is no sample. */
  readonly dropped: boolean;
}

/** A limit of the attempts in flight that adapts to their outcomes. */
export interface ConcurrencyLimit {
  /** Attempts that may be in flight at present; at least 1. */
  readonly value: number;
  /** Takes an attempt that has ended. Must not throw. */
  learn(sample: LimitSample): void;
}

/** Makes the limit of one service: `gradient2()` and `aimd()` of `inmesh`, or one of your own. */
export interface LimitAlgorithm {
  /** The limit of one service, before its first attempt. */
  begin(): ConcurrencyLimit;
}

/** A constant limit. */
export function fixedLimit(value: number): LimitAlgorithm {
  return { begin: () => ({ value, learn() {} }) };
}
