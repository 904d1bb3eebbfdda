import type { Clock } from "../../core/clock.ts";
import type { Interceptor, MeshRequest } from "../../core/dispatch.ts";
import { MeshError } from "../../core/errors.ts";
import { checkInteger, checkKeys, checkNumber, checkObject, maxTimerMs, refuseOption } from "../../core/options.ts";
import { isOverload, outcomeOfError } from "../../core/outcome.ts";
import type { ConcurrencyReading } from "../../core/reading.ts";
import { fixedLimit, type LimitAlgorithm } from "./limit-algorithm.ts";
import { TurnQueue } from "./turn-queue.ts";

/** How many attempts may be in flight; `concurrency` in the options of the mesh. */
export interface ConcurrencyOptions {
  /**
   * Attempts of one service that may be in flight in this process, their bodies included: a number, or an algorithm that finds it:
   * `gradient2()`, `aimd()`. @default 1024
   */
  readonly maxInFlight?: number | LimitAlgorithm;
  /** Attempts of one instance. One that has so many is passed over; while all have, further attempts wait. @default no limit */
  readonly maxInFlightPerInstance?: number;
  /** Attempts that may wait for a place; further ones are refused at once. @default 1024 */
  readonly maxQueued?: number;
  /** How long an attempt may wait, in milliseconds. @default 1000 */
  readonly queueTimeoutMs?: number;
}

const optionKeys = ["maxInFlight", "maxInFlightPerInstance", "maxQueued", "queueTimeoutMs"];

/**
 * Checks `concurrency`.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkConcurrencyOptions(option: string, options: ConcurrencyOptions | false | undefined): void {
  if (options === undefined || options === false) return;
  checkObject(option, options);
  checkKeys(option, options, optionKeys);
  const { maxInFlight } = options;
  if (typeof maxInFlight === "object" && maxInFlight !== null) {
    if (typeof maxInFlight.begin !== "function") refuseOption(`${option}.maxInFlight.begin`, maxInFlight.begin, "a function");
  } else checkInteger(`${option}.maxInFlight`, maxInFlight, 1);
  checkInteger(`${option}.maxInFlightPerInstance`, options.maxInFlightPerInstance, 1);
  checkInteger(`${option}.maxQueued`, options.maxQueued, 0);
  checkNumber(`${option}.queueTimeoutMs`, options.queueTimeoutMs, 0, maxTimerMs);
}

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
export function concurrencyLimit({
  service,
  maxInFlight = 1_024,
  maxQueued = 1_024,
  queueTimeoutMs = 1_000,
  clock,
}: ConcurrencyLimitOptions): ConcurrencyLimiter {
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
        limit.learn({ ms: clock.now() - startedAt, inFlight: inFlightThen, isDropped });
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
