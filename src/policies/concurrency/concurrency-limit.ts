import type { Clock } from "../../core/clock.ts";
import type { Dispatch, Interceptor, MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { MeshError } from "../../core/errors.ts";
import { type LayerParts, layer } from "../../core/layer.ts";
import type { ConcurrencyReading } from "../../core/observing/reading.ts";
import { isGatewayError, isOfOneCaller, outcomeOfError } from "../../core/outcome.ts";
import { countedStatus } from "../../core/rpc/rpc-outcome.ts";
import { equalValues } from "../../core/settings/equal-values.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { atOnce, group, orFalse } from "../../core/settings/rules.ts";
import { type ConcurrencyOptions, concurrencyOptions } from "./concurrency-options.ts";
import { type ConcurrencyLimit, fixedLimit, type LimitAlgorithm } from "./limit-algorithm.ts";
import { TurnQueue } from "./turn-queue.ts";

/** The options of a {@link ConcurrencyLimiter}, and the parts that it works with. */
export interface ConcurrencyLimiterOptions extends ConcurrencyOptions {
  readonly service: string;
  readonly clock: Clock;
}

/**
 * Bounds the attempts of one service that are in flight. An attempt without a place waits in a bounded queue, by `priority`. One that finds
 * the queue full, or waits too long, rejects with `ERR_MESH_OVERLOADED`: sooner than its deadline, and without having been sent.
 */
export class ConcurrencyLimiter {
  readonly #service: string;
  readonly #clock: Clock;
  /** The option by which the limit was begun. */
  #maxInFlight: number | LimitAlgorithm;
  #limit: ConcurrencyLimit;
  readonly #queue: TurnQueue;
  #inFlight = 0;

  constructor({ service, clock, ...options }: ConcurrencyLimiterOptions) {
    const { maxInFlight, maxQueued, queueTimeoutMs } = concurrencyOptions.settle(options);
    this.#service = service;
    this.#clock = clock;
    this.#maxInFlight = maxInFlight;
    this.#limit = limitBy(maxInFlight);
    this.#queue = new TurnQueue({ maxQueued, queueTimeoutMs, clock, refusal: (request, why) => this.#refusal(request, why) });
  }

  readonly interceptor: Interceptor = (next) => (request) => {
    if (this.#inFlight >= this.#limit.value || this.#queue.size > 0) return this.#queue.wait(request).then(() => this.#send(request, next));
    this.#inFlight++;
    return this.#send(request, next);
  };

  /**
   * Prepares other options; the result puts them in force: what is in flight and what waits keep their places, and as many go on as there is room for. A limit
   * by the same algorithm goes on with what it has learnt.
   */
  adjust(options: ConcurrencyOptions): () => void {
    const { maxInFlight, maxQueued, queueTimeoutMs } = concurrencyOptions.settle(options);
    const limit = equalValues(maxInFlight, this.#maxInFlight) ? this.#limit : limitBy(maxInFlight);
    return () => {
      this.#maxInFlight = maxInFlight;
      this.#limit = limit;
      this.#queue.adjust({ maxQueued, queueTimeoutMs });
      this.#fill();
    };
  }

  /** Lets all go on, those that come yet too. */
  retire(): void {
    this.#limit = limitBy(Number.POSITIVE_INFINITY);
    this.#fill();
  }

  /** The numbers of this moment. */
  get reading(): ConcurrencyReading {
    return { inFlight: this.#inFlight, queued: this.#queue.size, limit: this.#limit.value };
  }

  /** Sends a request that has a place. */
  #send(request: MeshRequest, next: Dispatch): Promise<MeshResponse> {
    const startedAt = this.#clock.now();
    const inFlight = this.#inFlight;
    return next(request).then(
      (response) => {
        // A fast 429 says nothing of the room: it is said to one caller.
        const status = countedStatus(response);
        if (!isOfOneCaller(status)) this.#learn(startedAt, inFlight, isGatewayError(status));
        response.body.onClose(this.#leave);
        return response;
      },
      (error: unknown) => {
        const outcome = outcomeOfError(error);
        if (outcome !== "neutral") this.#learn(startedAt, inFlight, outcome === "failure");
        this.#leave();
        throw error;
      },
    );
  }

  #learn(startedAt: number, inFlight: number, dropped: boolean): void {
    this.#limit.learn({ ms: this.#clock.now() - startedAt, inFlight, dropped });
    // The limit may have risen.
    this.#fill();
  }

  readonly #leave = (): void => {
    this.#inFlight--;
    this.#fill();
  };

  /** Gives free places to attempts that wait: at once, so that no attempt which comes before they run takes them. */
  #fill(): void {
    while (this.#inFlight < this.#limit.value && this.#queue.next()) this.#inFlight++;
  }

  #refusal({ attempts }: MeshRequest, why: string): MeshError {
    const service = this.#service;
    const message = `"${service}" has ${this.#inFlight} attempts in flight (concurrency.maxInFlight): ${why}`;
    return new MeshError("ERR_MESH_OVERLOADED", message, { service, attempts: [...attempts], stack: false });
  }
}

function limitBy(maxInFlight: number | LimitAlgorithm): ConcurrencyLimit {
  return (typeof maxInFlight === "number" ? fixedLimit(maxInFlight) : maxInFlight).begin();
}

/** The option of {@link concurrencyLayer}. */
export interface ConcurrencyOption {
  /** Limit of the attempts in flight at a time; `false` = no limit. @default false */
  readonly concurrency?: ConcurrencyOptions | false;
}

/** The rule of {@link ConcurrencyOption}, which also bounds the attempts at each instance. */
export const concurrencyOption = optionTable<ConcurrencyOption>()({ concurrency: atOnce(orFalse(group(concurrencyOptions), false)) });

/** Attempts take places, not calls: a call that pauses before its retry holds none. */
export const concurrencyLayer = layer({
  name: "concurrency limit",
  options: concurrencyOption,
  build({ concurrency }, parts: LayerParts) {
    if (concurrency === false) return undefined;
    const limiter = new ConcurrencyLimiter({ ...parts, ...concurrency });
    return {
      interceptor: limiter.interceptor,
      reading: () => ({ concurrency: limiter.reading }),
      adjust(given: ConcurrencyOption) {
        const { concurrency: other } = concurrencyOption.settle(given);
        return other === false ? undefined : limiter.adjust(other);
      },
      retire: () => limiter.retire(),
    };
  },
});
