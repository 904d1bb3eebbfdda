import { type Clock, fullJitter, type Random, sleep } from "../../core/clock.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { isMeshError, MeshError } from "../../core/errors.ts";
import { retryAfterOf } from "../../core/http/retry-after.ts";
import { type LayerParts, layer } from "../../core/layer.ts";
import type { EventSink, RetryDenial } from "../../core/observing/events.ts";
import { retryPushback } from "../../core/rpc/retry-pushback.ts";
import { countedStatus } from "../../core/rpc/rpc-outcome.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { atOnce, group, orFalse } from "../../core/settings/rules.ts";
import { dispatchOf, type Receiver, type Send, type Stage, settleWith } from "../../core/stages/stage.ts";
import { isAnsweringRetry } from "../incoming.ts";
import { repeat } from "./p-retry/repeat.ts";
import { RetryBudget } from "./retry-budget.ts";
import { decide, type Failure, isFailedBy } from "./retry-decision.ts";
import { type RetryOptions, retryOptions } from "./retry-options.ts";

/** The options of {@link retry}, and the parts that it works with. */
export interface RetryPolicyOptions extends RetryOptions {
  /** A budget that hedges are charged to as well, in place of one made from `budget`. */
  readonly sharedBudget?: RetryBudget;
  readonly clock: Clock;
  readonly random: Random;
  readonly events?: EventSink | undefined;
}

/**
 * Repeats attempts that failed, on another instance where there is one, as long as that is safe and the number of attempts, the budget and the
 * deadline allow it.
 */
export function retry(options: RetryPolicyOptions): Stage {
  return (next) => {
    const policy = new RetryPolicy(options, next);
    return (request, receiver) => policy.send(request, receiver);
  };
}

class RetryPolicy {
  readonly #settings: Settled<typeof retryOptions.rules>;
  readonly #parts: RetryPolicyOptions;
  readonly #budget: RetryBudget;
  readonly #send: Send;
  readonly #dispatch: Dispatch;

  constructor(options: RetryPolicyOptions, next: Send) {
    this.#send = next;
    this.#dispatch = dispatchOf(next);
    this.#settings = retryOptions.settle(options);
    this.#parts = options;
    this.#budget = options.sharedBudget ?? new RetryBudget(this.#settings.budget, options.clock);
  }

  /** Sends the first attempt. */
  send(request: MeshRequest, receiver: Receiver): void {
    // Calls for the answer to a retry earn half as many retries: otherwise the layers of a system multiply their attempts.
    this.#budget.deposit(isAnsweringRetry() ? 0.5 : 1);
    this.#send(request, request.options.retry === false ? receiver : new FirstAttempt(this, request, receiver));
  }

  /** Whether a response is a failure that another attempt may turn into a success. */
  isFailed(response: MeshResponse): boolean {
    return isFailedBy(this.#settings.on, response);
  }

  /** Makes the attempts after the first, which failed with `thrown`. */
  again(request: MeshRequest, thrown: unknown, startedAt: number): Promise<MeshResponse> {
    return this.#remaining(request, thrown, startedAt).catch((error: unknown) => lastResult(request, error));
  }

  /** The time from which `withinMs` counts; nothing looks at it without a limit. */
  begin(): number {
    return this.#settings.withinMs === undefined ? 0 : this.#parts.clock.now();
  }

  async #remaining(first: MeshRequest, thrown: unknown, startedAt: number): Promise<MeshResponse> {
    await this.#pauseAfter(first, thrown, startedAt);
    let current = first;
    return repeat(
      async (number) => {
        current = { ...first, attempt: number + 1 };
        const response = await this.#dispatch(current);
        if (this.isFailed(response)) throw new FailedResponse(response);
        return response;
      },
      (error) => this.#pauseAfter(current, error, startedAt),
    );
  }

  /** Waits until the next attempt may begin, or throws `thrown` where there is to be none. */
  async #pauseAfter(request: MeshRequest, thrown: unknown, startedAt: number): Promise<void> {
    // The caller has aborted, or the deadline has passed: a further attempt would have no caller.
    if (request.cancellation.cancelled) throw thrown;
    const failure: Failure = thrown instanceof FailedResponse ? { response: thrown.response } : { error: thrown };
    const delayMs = this.#nextDelay(request, failure, startedAt);
    if (delayMs === undefined) throw thrown;
    failure.response?.body.discard();
    if (delayMs > 0) await sleep(this.#parts.clock, delayMs, request.cancellation);
  }

  /** The pause before the next attempt, in milliseconds; `undefined` where there is to be no next attempt. */
  #nextDelay(request: MeshRequest, failure: Failure, startedAt: number): number | undefined {
    const { maxAttempts, methods, idempotencyKeys, baseDelayMs, maxDelayMs, heedRetryAfter, on, withinMs } = this.#settings;
    const { clock, random, events } = this.#parts;
    const isDeclared = idempotencyKeys && request.headers["idempotency-key"] !== undefined;
    const decision = decide(request, failure, { methods: isDeclared ? "declared" : methods, on });
    if (!decision.retry) return this.#denied(request, decision.denial);
    if (request.attempt >= maxAttempts) return this.#denied(request, "attempts");
    const pushback = request.rpc !== undefined && failure.response ? retryPushback(failure.response) : undefined;
    if (pushback === "never") return this.#denied(request, "pushback");
    const asked = heedRetryAfter && failure.response ? (pushback ?? retryAfterOf(failure.response, clock.wallNow())) : undefined;
    const jitter = decision.isImmediate ? 0 : fullJitter(random, request.attempt - 1, { baseMs: baseDelayMs, capMs: maxDelayMs });
    const delayMs = Math.max(asked ?? 0, jitter);
    const beginsAt = clock.now() + delayMs;
    if (beginsAt >= request.deadline || (withinMs !== undefined && beginsAt - startedAt >= withinMs))
      return this.#denied(request, "deadline");
    if (!decision.isFree && !this.#budget.withdraw()) return this.#denied(request, "budget");
    events?.emit?.({ type: "retry", service: request.service, request, reason: decision.reason, delayMs });
    return delayMs;
  }

  #denied(request: MeshRequest, denial: RetryDenial | undefined): undefined {
    if (denial !== undefined) this.#parts.events?.emit?.({ type: "retry-denied", service: request.service, request, denial });
    return undefined;
  }
}

/** The first attempt of a call, on its way. */
class FirstAttempt implements Receiver {
  readonly #policy: RetryPolicy;
  readonly #request: MeshRequest;
  readonly #receiver: Receiver;
  readonly #startedAt: number;

  constructor(policy: RetryPolicy, request: MeshRequest, receiver: Receiver) {
    this.#policy = policy;
    this.#request = request;
    this.#receiver = receiver;
    this.#startedAt = policy.begin();
  }

  answered(response: MeshResponse): void {
    if (this.#policy.isFailed(response)) this.#again(new FailedResponse(response));
    else this.#receiver.answered(response);
  }

  failed(error: unknown): void {
    if (isMeshError(error)) this.#again(error);
    else this.#receiver.failed(error);
  }

  #again(thrown: unknown): void {
    settleWith(this.#policy.again(this.#request, thrown, this.#startedAt), this.#receiver);
  }
}

/** The result of a call without a further attempt: returns the last response, or throws the last error. */
function lastResult(request: MeshRequest, thrown: unknown): MeshResponse {
  // The abort of the caller and the deadline of the call are no failures of an attempt.
  if (request.cancellation.cancelled) throw request.cancellation.reason;
  if (thrown instanceof FailedResponse) return thrown.response;
  if (!isMeshError(thrown) || request.attempts.length < 2 || thrown.code === "ERR_MESH_RETRY_EXHAUSTED") throw thrown;
  // Its code says that the fault is in this process, which the general code would hide.
  if (thrown.code === "ERR_MESH_LOCAL_RESOURCE" || thrown.code === "ERR_MESH_IDENTITY") throw thrown;
  throw new MeshError(
    "ERR_MESH_RETRY_EXHAUSTED",
    `"${request.service}" failed ${request.attempts.length} attempts of ${request.method}; the last: ${thrown.message}`,
    { service: request.service, attempts: [...request.attempts], cause: thrown },
  );
}

/** A response that is a failure, as an error for p-retry. */
class FailedResponse extends Error {
  readonly response: MeshResponse;

  constructor(response: MeshResponse) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(`status ${countedStatus(response)}`);
    Error.stackTraceLimit = limit;
    this.response = response;
  }
}

/** The option of {@link retryLayer}. */
export interface RetryOption {
  /** Retries of attempts that failed; `false` = one attempt for each call. */
  readonly retry?: RetryOptions | false;
}

/** The rule of {@link RetryOption}. */
export const retryOption = optionTable<RetryOption>()({ retry: atOnce(orFalse(group(retryOptions))) });

/** Above the balancer: each attempt picks anew, among the instances that the call has not tried. */
export const retryLayer = layer({
  name: "retry",
  options: retryOption,
  build: ({ retry: options }, parts: LayerParts & Omit<RetryPolicyOptions, keyof RetryOptions>) =>
    options === false ? undefined : { stage: retry({ ...parts, ...options }) },
});
