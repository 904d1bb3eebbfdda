import { AsyncContext } from "../../core/async-context.ts";
import type { Clock } from "../../core/clock.ts";
import type { Dispatch, Interceptor, MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { isMeshError } from "../../core/errors.ts";
import { isReplayable } from "../../core/http/body.ts";
import { type LayerParts, layer } from "../../core/layer.ts";
import type { EventSink } from "../../core/observing/events.ts";
import { isRetryableMethod } from "../../core/outcome.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { atOnce, group, orFalse } from "../../core/settings/rules.ts";
import { RetryBudget } from "../retry/retry-budget.ts";
import { isFailedResponse } from "../retry/retry-decision.ts";
import { HedgeDelay } from "./hedge-delay.ts";
import { type HedgeOptions, hedgeOptions } from "./hedge-options.ts";
import { Race, superseded } from "./race.ts";

/** The options of {@link hedge}, and the parts that it works with. */
export interface HedgePolicyOptions extends HedgeOptions {
  /** The budget of the retries, which hedges are charged to as well: both are extra load. */
  readonly budget: RetryBudget;
  readonly clock: Clock;
  readonly events?: EventSink | undefined;
}

/**
 * Sends a request that takes longer than nearly all others to a second instance. The attempt that succeeds first is the result; the other one
 * is cancelled, which is no failure of its instance. Only requests that may be executed twice are hedged. (Dean and Barroso, The Tail at
 * Scale. The quantile, the budget and the latencies that count are those of Finagle's backup requests.)
 */
export function hedge(options: HedgePolicyOptions): Interceptor {
  return new HedgePolicy(options).interceptor;
}

class HedgePolicy {
  readonly #clock: Clock;
  readonly #events: EventSink | undefined;
  readonly #delay: HedgeDelay;
  readonly #budget: RetryBudget;
  /** Beside the budget of the retries: where latency rises everywhere, every call takes longer than the quantile of before. */
  readonly #ownBudget: RetryBudget;

  constructor({ budget, clock, events, ...options }: HedgePolicyOptions) {
    const { percentile, minDelayMs, maxDelayMs, maxExtraLoad } = hedgeOptions.settle(options);
    this.#clock = clock;
    this.#events = events;
    this.#budget = budget;
    this.#delay = new HedgeDelay({ quantile: percentile, minDelayMs, maxDelayMs, clock });
    this.#ownBudget = new RetryBudget({ ratio: maxExtraLoad, minRetriesPerSecond: 0 }, clock);
  }

  /** Takes other options; the latencies that it has learnt stay. */
  adjust(options: HedgeOptions): void {
    const { percentile, minDelayMs, maxDelayMs, maxExtraLoad } = hedgeOptions.settle(options);
    this.#delay.adjust({ quantile: percentile, minDelayMs, maxDelayMs });
    this.#ownBudget.adjust({ ratio: maxExtraLoad, minRetriesPerSecond: 0 });
  }

  readonly interceptor: Interceptor = (next) => {
    const observed: Dispatch = (request) => this.observe(request, next);
    return (request) => this.send(request, observed);
  };

  /** Sends one attempt, and learns from its latency. */
  observe(request: MeshRequest, next: Dispatch): Promise<MeshResponse> {
    const startedAt = this.#clock.now();
    return next(request).then(
      (response) => {
        if (!isFailedResponse(response)) this.#delay.learn(this.#clock.now() - startedAt);
        return response;
      },
      (error: unknown) => {
        // It would have taken at least this long.
        const isTooSlow = isMeshError(error) ? error.code === "ERR_MESH_TIMEOUT" : error === superseded;
        if (isTooSlow) this.#delay.learn(this.#clock.now() - startedAt);
        throw error;
      },
    );
  }

  /** Sends a request, and a hedge of it after the delay. */
  send(request: MeshRequest, observed: Dispatch): Promise<MeshResponse> {
    this.#ownBudget.deposit();
    const delayMs = isHedgeable(request) ? this.#delay.current() : undefined;
    if (delayMs === undefined || this.#clock.now() + delayMs >= request.deadline) return observed(request);
    return new Promise((resolve, reject) => {
      // A timer runs outside of any call: the body that a function makes for the hedge, and its observers, are the caller's.
      const context = new AsyncContext();
      const timer = this.#clock.setTimer(() => context.run(() => this.#hedge(race, request, delayMs)), delayMs);
      const race = new Race(request, observed, resolve, reject, () => this.#clock.clearTimer(timer));
      race.enter();
    });
  }

  #hedge(race: Race, request: MeshRequest, delayMs: number): void {
    if (!race.isOpen || !this.#ownBudget.withdraw() || !this.#budget.withdraw()) return;
    const { service } = request;
    this.#events?.emit?.({ type: "hedge", service, request, delayMs });
    race.enter(() => this.#events?.emit?.({ type: "hedge-won", service, request }));
  }
}

function isHedgeable({ options, method, body }: MeshRequest): boolean {
  return (options.idempotent ?? isRetryableMethod(method, "safe")) && isReplayable(body) && options.retry !== false;
}

/** The option of {@link hedgeLayer}. */
export interface HedgeOption {
  /** A second attempt beside one that takes longer than nearly all others; `false` = none. @default false */
  readonly hedge?: HedgeOptions | false;
}

/** The rule of {@link HedgeOption}. */
export const hedgeOption = optionTable<HedgeOption>()({ hedge: atOnce(orFalse(group(hedgeOptions), false)) });

/** Below the retries, whose attempts it doubles, and charged to the same budget. */
export const hedgeLayer = layer({
  name: "hedge",
  options: hedgeOption,
  build: (
    { hedge: options },
    parts: LayerParts & Omit<HedgePolicyOptions, keyof HedgeOptions | "budget"> & { readonly sharedBudget: RetryBudget },
  ) => {
    if (options === false) return undefined;
    const policy = new HedgePolicy({ ...parts, ...options, budget: parts.sharedBudget });
    return {
      interceptor: policy.interceptor,
      adjust(given: HedgeOption) {
        const { hedge: other } = hedgeOption.settle(given);
        return other === false ? undefined : () => policy.adjust(other);
      },
    };
  },
});
