import { Cancellation } from "../../core/cancellation.ts";
import type { Clock } from "../../core/clock.ts";
import type { Dispatch, Interceptor, MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { isMeshError } from "../../core/errors.ts";
import { isReplayable } from "../../core/http/body.ts";
import { type LayerParts, layer } from "../../core/layer.ts";
import type { EventSink } from "../../core/observing/events.ts";
import { isRetryableMethod } from "../../core/outcome.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { group, orFalse } from "../../core/settings/rules.ts";
import { RetryBudget } from "../retry/retry-budget.ts";
import { isFailedResponse } from "../retry/retry-decision.ts";
import { HedgeDelay } from "./hedge-delay.ts";
import { type HedgeOptions, hedgeOptions } from "./hedge-options.ts";

/** What {@link hedge} needs beside the user's options. */
export interface HedgePolicyOptions extends HedgeOptions {
  /** Shared with the retries: both are extra load. */
  readonly budget: RetryBudget;
  readonly clock: Clock;
  readonly events?: EventSink | undefined;
}

/**
 * Sends a request that takes longer than nearly all others do to a second instance and takes the answer that succeeds first; the other
 * attempt is cancelled, and nobody is blamed for it. Only for requests that may be executed twice. (Dean and Barroso, The Tail at
 * Scale; the percentile, the budget and what is learnt from are Finagle's backup requests.)
 */
export function hedge({ budget, clock, events, ...options }: HedgePolicyOptions): Interceptor {
  const { percentile, minDelayMs, maxDelayMs, maxExtraLoad } = hedgeOptions.settle(options);
  const delay = new HedgeDelay({ quantile: percentile, minDelayMs, maxDelayMs, clock });
  // Of its own beside the shared one: a latency that rises everywhere would make every call slower than the percentile it was before.
  const ownBudget = new RetryBudget({ ratio: maxExtraLoad, minRetriesPerSecond: 0 }, clock);
  return (next) => {
    const observed: Dispatch = (request) => {
      const startedAt = clock.now();
      return next(request).then(
        (response) => {
          if (!isFailedResponse(response)) delay.learn(clock.now() - startedAt);
          return response;
        },
        (error: unknown) => {
          // It would have taken at least so long.
          if (isMeshError(error) ? error.code === "ERR_MESH_TIMEOUT" : error === superseded) delay.learn(clock.now() - startedAt);
          throw error;
        },
      );
    };
    return (request) => {
      ownBudget.deposit();
      const delayMs = isHedgeable(request) ? delay.current() : undefined;
      if (delayMs === undefined || clock.now() + delayMs >= request.deadline) return observed(request);
      return new Promise((resolve, reject) => {
        const race = new Race(request, observed, resolve, reject);
        race.timer = clock.setTimer(() => {
          if (!race.isOpen || !ownBudget.withdraw() || !budget.withdraw()) return;
          const { service } = request;
          events?.emit?.({ type: "hedge", service, request, delayMs });
          race.enter(() => events?.emit?.({ type: "hedge-won", service, request }));
        }, delayMs);
        race.onEnd = () => clock.clearTimer(race.timer);
        race.enter();
      });
    };
  };
}

function isHedgeable({ options, method, body }: MeshRequest): boolean {
  return (options.idempotent ?? isRetryableMethod(method, "safe")) && isReplayable(body) && options.retry !== false;
}

/** Why the slower attempt was cancelled. */
const superseded = new DOMException("another attempt of the same call was faster", "AbortError");

/** The attempts of one call that run side by side: the first success counts, or the last failure. */
class Race {
  timer: unknown = undefined;
  onEnd: () => void = () => {};
  readonly #request: MeshRequest;
  readonly #send: Dispatch;
  readonly #resolve: (response: MeshResponse) => void;
  readonly #reject: (error: unknown) => void;
  readonly #running = new Set<Cancellation>();
  /** A response that failed, while another attempt may still do better. */
  #failed: MeshResponse | undefined = undefined;
  #isOver = false;

  constructor(request: MeshRequest, send: Dispatch, resolve: (response: MeshResponse) => void, reject: (error: unknown) => void) {
    this.#request = request;
    this.#send = send;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** `true` while no attempt has ended: one that failed is the retries' business. */
  get isOpen(): boolean {
    return !this.#isOver && this.#running.size > 0;
  }

  /** Sends one more attempt. `onWon`: its answer was taken. */
  enter(onWon?: () => void): void {
    const { cancellation: call } = this.#request;
    const cancellation = new Cancellation();
    const forward = (reason: unknown) => cancellation.cancel(reason);
    call.onCancel(forward);
    const forget = () => call.removeListener(forward);
    this.#running.add(cancellation);
    this.#send({ ...this.#request, cancellation }).then(
      (response) => {
        response.body.onClose(forget);
        this.#running.delete(cancellation);
        this.#answered(response, onWon);
      },
      (error: unknown) => {
        forget();
        this.#running.delete(cancellation);
        this.#failedWith(error);
      },
    );
  }

  #answered(response: MeshResponse, onWon: (() => void) | undefined): void {
    if (this.#isOver) {
      response.body.cancel(superseded);
      return;
    }
    if (isFailedResponse(response) && this.#running.size > 0) {
      this.#failed?.body.discard();
      this.#failed = response;
      return;
    }
    this.#end();
    if (this.#failed !== response) this.#failed?.body.discard();
    for (const loser of this.#running) loser.cancel(superseded);
    if (!isFailedResponse(response)) onWon?.();
    this.#resolve(response);
  }

  #failedWith(error: unknown): void {
    if (this.#isOver || this.#running.size > 0) return;
    this.#end();
    if (this.#failed === undefined) this.#reject(error);
    else this.#resolve(this.#failed);
  }

  #end(): void {
    this.#isOver = true;
    this.onEnd();
  }
}

/** The option of {@link hedgeLayer}. */
export interface HedgeOption {
  /** A second attempt beside one that takes longer than nearly all others; `false` = none. @default false */
  readonly hedge?: HedgeOptions | false;
}

/** Below the retries, whose attempts it doubles, and charged to the same budget. */
export const hedgeLayer = layer({
  name: "hedge",
  options: optionTable<HedgeOption>()({ hedge: orFalse(group(hedgeOptions), false) }),
  build: (
    { hedge: options },
    parts: LayerParts & Omit<HedgePolicyOptions, keyof HedgeOptions | "budget"> & { readonly sharedBudget: RetryBudget },
  ) => (options === false ? undefined : hedge({ ...parts, ...options, budget: parts.sharedBudget })),
});
