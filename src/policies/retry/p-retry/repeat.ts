import pRetry from "p-retry";

/**
 * Calls `attempt` with 1, 2, … until one resolves. After each rejection `afterFailure` decides: it resolves when the next attempt may
 * begin, or rejects with what the whole rejects with.
 */
export function repeat<Result>(
  attempt: (number: number) => Promise<Result>,
  afterFailure: (error: unknown) => Promise<void>,
): Promise<Result> {
  return pRetry(attempt, {
    // Whether and how long to wait is decided by `afterFailure`: p-retry knows no full jitter, no Retry-After and no budget.
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 0,
    onFailedAttempt: ({ error }) => afterFailure(error),
  });
}
