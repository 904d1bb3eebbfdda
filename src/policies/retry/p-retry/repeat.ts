import pRetry from "p-retry";

/**
 * Calls `attempt` with 1, 2, … until it resolves. After each rejection `afterFailure` decides: it resolves when the next attempt may begin, or
 * rejects with the error of the whole.
 */
export function repeat<Result>(
  attempt: (number: number) => Promise<Result>,
  afterFailure: (error: unknown) => Promise<void>,
): Promise<Result> {
  return pRetry(attempt, {
    // `afterFailure` decides about attempts and pauses: p-retry has no full jitter, `Retry-After` or budget.
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 0,
    onFailedAttempt: ({ error }) => afterFailure(error),
  });
}
