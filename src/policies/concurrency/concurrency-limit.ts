import type { Clock } from "../../core/clock.ts";
import type { Interceptor, MeshRequest } from "../../core/dispatch.ts";
import { MeshError } from "../../core/errors.ts";
import { type LayerParts, layer } from "../../core/layer.ts";
import type { ConcurrencyReading } from "../../core/observing/reading.ts";
import { isOverload, outcomeOfError } from "../../core/outcome.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { group, orFalse } from "../../core/settings/rules.ts";
import { type ConcurrencyOptions, concurrencyOptions } from "./concurrency-options.ts";
import { fixedLimit } from "./limit-algorithm.ts";
import { TurnQueue } from "./turn-queue.ts";

/** What {@link concurrencyLimit} needs beside the user's options. */
export interface ConcurrencyLimitOptions extends ConcurrencyOptions {
  readonly service: string;
  readonly clock: Clock;
}

/** A concurrency limit and what it shows. */
export interface ConcurrencyLimiter {
  readonly interceptor: Interceptor;
  /** The limit at this moment. */
  readonly reading: () => ConcurrencyReading;
}

/**
 * Bounds the attempts in flight. What finds no place waits in a bounded queue, by `priority`; what finds no place there, or waits too
 * long, is refused with `ERR_MESH_OVERLOADED`: sooner than its deadline, and without having been sent.
 */
export function concurrencyLimit({ service, clock, ...options }: ConcurrencyLimitOptions): ConcurrencyLimiter {
  const { maxInFlight, maxQueued, queueTimeoutMs } = concurrencyOptions.settle(options);
  const limit = (typeof maxInFlight === "number" ? fixedLimit(maxInFlight) : maxInFlight).begin();
  let inFlight = 0;

  const refusal = ({ attempts }: MeshRequest, why: string) =>
    new MeshError("ERR_MESH_OVERLOADED", `"${service}" has ${inFlight} attempts in flight (concurrency.maxInFlight): ${why}`, {
      service,
      attempts: [...attempts],
      stack: false,
    });
  const queue = new TurnQueue({ maxQueued, queueTimeoutMs, clock, refusal });

  const fill = () => {
    // Taken for whose turn it is here: whoever comes before it runs must not have the place.
    while (inFlight < limit.value && queue.next()) inFlight++;
  };

  const leave = () => {
    inFlight--;
    fill();
  };

  const interceptor: Interceptor = (next) => {
    /** Sends a request for which a place has been taken. */
    const send = (request: MeshRequest) => {
      const startedAt = clock.now();
      const inFlightThen = inFlight;
      const learn = (isDropped: boolean) => {
        limit.learn({ ms: clock.now() - startedAt, inFlight: inFlightThen, dropped: isDropped });
        // It may have gone up.
        fill();
      };
      return next(request).then(
        (response) => {
          learn(isOverload(response.status));
          response.body.onClose(leave);
          return response;
        },
        (error: unknown) => {
          const outcome = outcomeOfError(error);
          if (outcome !== "neutral") learn(outcome === "failure");
          leave();
          throw error;
        },
      );
    };
    return (request) => {
      if (inFlight >= limit.value || queue.size > 0) return queue.wait(request).then(() => send(request));
      inFlight++;
      return send(request);
    };
  };

  return { interceptor, reading: () => ({ inFlight, queued: queue.size, limit: limit.value }) };
}

/** The option of {@link concurrencyLayer}. */
export interface ConcurrencyOption {
  /** How many attempts may be in flight at a time; `false` = no limit. @default false */
  readonly concurrency?: ConcurrencyOptions | false;
}

/** The rule of {@link ConcurrencyOption}, which the limit of each instance has too. */
export const concurrencyOption = optionTable<ConcurrencyOption>()({ concurrency: orFalse(group(concurrencyOptions), false) });

/** Attempts take places, not calls: one that pauses before its retry holds none. */
export const concurrencyLayer = layer({
  name: "concurrency limit",
  options: concurrencyOption,
  build({ concurrency }, parts: LayerParts) {
    if (concurrency === false) return undefined;
    const { interceptor, reading } = concurrencyLimit({ ...parts, ...concurrency });
    return { interceptor, reading: () => ({ concurrency: reading() }) };
  },
});
