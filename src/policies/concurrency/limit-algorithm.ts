/** One attempt that has ended, as a limit learns from it. */
export interface LimitSample {
  /** To the response head, or to the failure, in milliseconds. */
  readonly ms: number;
  /** Attempts in flight when it began, itself included. */
  readonly inFlight: number;
  /** The instance had no room for it: it timed out, could not be connected to, or answered 429, 502, 503 or 504. */
  readonly dropped: boolean;
}

/** A limit of concurrent attempts that follows what it sees. */
export interface ConcurrencyLimit {
  /** How many attempts may be in flight now; at least 1. */
  readonly value: number;
  /** Takes one attempt that has ended. Must not throw. */
  learn(sample: LimitSample): void;
}

/** Makes the limit of one service: `gradient2()` and `aimd()` of `inmesh`, or one of your own. */
export interface LimitAlgorithm {
  /** The limit of one service, as it is at first. */
  begin(): ConcurrencyLimit;
}

/** A limit that stays what it is. */
export function fixedLimit(value: number): LimitAlgorithm {
  return { begin: () => ({ value, learn() {} }) };
}
