import type { Clock } from "../core/clock.ts";
import type { Interceptor, MeshRequest } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { checkInteger, checkKeys, checkNumber, checkObject, maxTimerMs, refuseOption } from "../core/options.ts";
import { isOverload, outcomeOfError } from "../core/outcome.ts";
import type { ConcurrencyReading } from "../core/reading.ts";
import { fixedLimit, type LimitAlgorithm } from "./limit-algorithm.ts";
import { type Waiter, WaitQueue } from "./wait-queue.ts";

/** How many attempts may be in flight; `concurrency` in the options of the mesh. */
export interface ConcurrencyOptions {
  /**
   * Attempts of one service that may be in flight in this process, their bodies included: a number, or an algorithm that finds it:
   * `gradient2()`, `aimd()`. @default 1024
   */
  readonly maxInFlight?: number | LimitAlgorithm;
  /** Attempts of one instance. One that has so many is passed over while another has room. @default no limit */
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
  const queue = new WaitQueue(maxQueued);
  let inFlight = 0;

  const fill = () => {
    while (inFlight < limit.value) {
      const next = queue.take();
      if (next === undefined) return;
      // Taken for it here: whoever comes before it runs must not have the place.
      inFlight++;
      next.onTurn();
    }
  };

  const leave = () => {
    inFlight--;
    fill();
  };

  const refusal = ({ attempts }: MeshRequest, why: string) =>
    new MeshError("ERR_MESH_OVERLOADED", `"${service}" has ${inFlight} attempts in flight (concurrency.maxInFlight): ${why}`, {
      service,
      attempts: [...attempts],
      stack: false,
    });

  /** Resolves when a place has been taken for the request. */
  const turn = (request: MeshRequest) =>
    new Promise<void>((resolve, reject) => {
      const { cancellation, options } = request;
      const settle = (act: () => void) => {
        clock.clearTimer(timer);
        cancellation.removeListener(onCancel);
        queue.remove(waiter);
        act();
      };
      const onCancel = (reason: unknown) => settle(() => reject(reason));
      const refuse = (why: string) => settle(() => reject(refusal(request, why)));
      const waiter: Waiter = {
        priority: options.priority ?? "normal",
        onTurn: () => settle(resolve),
        onShed: () => refuse("its place in the queue was given to a call of a higher priority"),
      };
      if (!queue.add(waiter)) {
        reject(refusal(request, `${queue.size} wait already (concurrency.maxQueued)`));
        return;
      }
      const timer = clock.setTimer(() => refuse(`it has waited for ${queueTimeoutMs} ms (concurrency.queueTimeoutMs)`), queueTimeoutMs);
      cancellation.onCancel(onCancel);
    });

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
      if (inFlight >= limit.value || queue.size > 0) return turn(request).then(() => send(request));
      inFlight++;
      return send(request);
    };
  };

  return { interceptor, reading: () => ({ inFlight, queued: queue.size, limit: limit.value }) };
}
