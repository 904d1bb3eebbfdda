import pRetry from "p-retry";
import { type Clock, type Random, sleep } from "../../core/clock.ts";
import type { Interceptor, MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { isMeshError, MeshError } from "../../core/errors.ts";
import type { EventSink, RetryDenial } from "../../core/events.ts";
import { retryAfterOf } from "../../core/http/retry-after.ts";
import { isAnsweringRetry } from "../incoming.ts";
import { RetryBudget, type RetryBudgetOptions } from "./retry-budget.ts";
import { decide, type Failure, isFailedResponse } from "./retry-decision.ts";

/** How failed attempts are repeated; `retry` in the options of the mesh. */
export interface RetryOptions {
  /** Attempts in all, the first included. @default 3 */
  readonly maxAttempts?: number;
  /** Which methods may be executed twice: `safe` (GET, HEAD, OPTIONS, TRACE, QUERY) or `rfc9110` (PUT and DELETE too). @default "safe" */
  readonly idempotent?: "safe" | "rfc9110";
  /**
   * The service executes requests with the same `Idempotency-Key` once (draft-ietf-httpapi-idempotency-key-header): what carries one may be
   * sent again, whatever its method. @default false
   */
  readonly honoursIdempotencyKey?: boolean;
  /** The pause before a retry is a random part of this, in milliseconds, doubled with each retry (full jitter). @default 25 */
  readonly baseDelayMs?: number;
  /** The longest such pause, in milliseconds. @default 250 */
  readonly maxDelayMs?: number;
  /** Bounds the retries to a share of the requests. */
  readonly budget?: RetryBudgetOptions;
}

/** What {@link retry} needs beside the user's options. */
export interface RetryPolicyOptions extends RetryOptions {
  /** In the place of one of its own after `budget`, where hedges are charged to the same. */
  readonly sharedBudget?: RetryBudget;
  readonly clock: Clock;
  readonly random: Random;
  readonly events?: EventSink | undefined;
}

/**
 * Repeats an attempt that failed, on another instance where there is one, when that is safe, the budget has it and the
 * deadline leaves time. p-retry drives the attempts after the first, which is called directly: a call that succeeds pays
 * nothing for the retries it does not need.
 */
export function retry({
  maxAttempts = 3,
  idempotent = "safe",
  honoursIdempotencyKey = false,
  baseDelayMs = 25,
  maxDelayMs = 250,
  budget: budgetOptions = {},
  sharedBudget,
  clock,
  random,
  events,
}: RetryPolicyOptions): Interceptor {
  const budget = sharedBudget ?? new RetryBudget(budgetOptions, clock);

  /** The pause before the next attempt in milliseconds, or `undefined` when there is to be none. */
  function nextDelay(request: MeshRequest, failure: Failure): number | undefined {
    const isDeclared = honoursIdempotencyKey && request.headers["idempotency-key"] !== undefined;
    const decision = decide(request, failure, isDeclared ? "declared" : idempotent);
    if (!decision.retry) return denied(request, decision.denial);
    if (request.attempt >= maxAttempts) return denied(request, "attempts");
    const asked = failure.response && retryAfterOf(failure.response, clock.wallNow());
    const jitter = decision.isImmediate ? 0 : random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (request.attempt - 1));
    const delayMs = Math.max(asked ?? 0, jitter);
    if (clock.now() + delayMs >= request.deadline) return denied(request, "deadline");
    if (!decision.isFree && !budget.withdraw()) return denied(request, "budget");
    events?.emit?.({ type: "retry", service: request.service, request, reason: decision.reason, delayMs });
    return delayMs;
  }

  function denied(request: MeshRequest, denial: RetryDenial | undefined): undefined {
    if (denial !== undefined) events?.emit?.({ type: "retry-denied", service: request.service, request, denial });
    return undefined;
  }

  return (next) => {
    async function attempt(request: MeshRequest): Promise<MeshResponse> {
      const response = await next(request);
      if (isFailedResponse(response)) throw new FailedResponse(response);
      return response;
    }

    /** Waits for the next attempt's turn, or throws what the caller gets instead. */
    async function pauseAfter(request: MeshRequest, thrown: unknown): Promise<void> {
      // Given up meanwhile, by the caller or its deadline: there is nobody to try again for.
      if (request.cancellation.cancelled) throw thrown;
      const failure: Failure = thrown instanceof FailedResponse ? { response: thrown.response } : { error: thrown };
      const delayMs = nextDelay(request, failure);
      if (delayMs === undefined) throw thrown;
      failure.response?.body.discard();
      if (delayMs > 0) await sleep(clock, delayMs, request.cancellation);
    }

    async function remaining(first: MeshRequest, thrown: unknown): Promise<MeshResponse> {
      await pauseAfter(first, thrown);
      let current = first;
      return pRetry(
        (number) => {
          current = { ...first, attempt: number + 1 };
          return attempt(current);
        },
        {
          // Whether and how long to wait is decided here: p-retry knows no full jitter, no Retry-After and no budget.
          retries: Number.POSITIVE_INFINITY,
          minTimeout: 0,
          onFailedAttempt: ({ error }) => pauseAfter(current, error),
        },
      );
    }

    const again = (request: MeshRequest, thrown: unknown) => remaining(request, thrown).catch(lastResult(request));

    // Not async: a call that waits for its response would hold a suspended function in each layer.
    return (request) => {
      // Answering a retry, half as many: layers that all retry at will multiply their attempts.
      budget.deposit(isAnsweringRetry() ? 0.5 : 1);
      if (request.options.retry === false) return next(request);
      return next(request).then(
        (response) => (isFailedResponse(response) ? again(request, new FailedResponse(response)) : response),
        (error: unknown) => {
          if (!isMeshError(error)) throw error;
          return again(request, error);
        },
      );
    };
  };
}

/** What the caller gets when no attempt is left: the last response as it is, or the last error. */
function lastResult(request: MeshRequest): (thrown: unknown) => MeshResponse {
  return (thrown) => {
    // The caller's abort and the call's deadline are no failed attempts. (p-retry has put a reason that is no Error into one.)
    if (request.cancellation.cancelled) throw request.cancellation.reason;
    if (thrown instanceof FailedResponse) return thrown.response;
    if (!isMeshError(thrown) || request.attempts.length < 2 || thrown.code === "ERR_MESH_RETRY_EXHAUSTED") throw thrown;
    // Its code tells whose fault it is, which a general one would hide.
    if (thrown.code === "ERR_MESH_LOCAL_RESOURCE") throw thrown;
    throw new MeshError(
      "ERR_MESH_RETRY_EXHAUSTED",
      `"${request.service}" failed ${request.attempts.length} attempts of ${request.method}; the last: ${thrown.message}`,
      { service: request.service, attempts: [...request.attempts], cause: thrown },
    );
  };
}

/** Carries a response through p-retry, which takes every resolved value for a success. */
class FailedResponse extends Error {
  readonly response: MeshResponse;

  constructor(response: MeshResponse) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(`status ${response.status}`);
    Error.stackTraceLimit = limit;
    this.response = response;
  }
}
