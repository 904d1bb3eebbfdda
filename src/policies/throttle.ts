import type { Clock, Random } from "../core/clock.ts";
import type { Interceptor } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { checkKeys, checkNumber, checkObject } from "../core/options.ts";
import { isOverload, outcomeOfError } from "../core/outcome.ts";
import { SlidingSum } from "./sliding-sum.ts";

/** Client-side throttling; `throttle` in the options of the mesh. */
export interface ThrottleOptions {
  /** Calls are held back once more than so many are made for each one that is accepted. @default 2 */
  readonly ratio?: number;
  /** Over so many milliseconds. @default 120000 */
  readonly windowMs?: number;
}

/**
 * Checks `throttle`.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkThrottleOptions(option: string, options: ThrottleOptions | false | undefined): void {
  if (options === undefined || options === false) return;
  checkObject(option, options);
  checkKeys(option, options, ["ratio", "windowMs"]);
  checkNumber(`${option}.ratio`, options.ratio, 1);
  checkNumber(`${option}.windowMs`, options.windowMs, 1);
}

/** What {@link throttle} needs beside the user's options. */
export interface ThrottlePolicyOptions extends ThrottleOptions {
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
}

const slots = 12;

/**
 * Adaptive throttling (Site Reliability Engineering, chapter 21): a service that refuses most calls is not asked with all of them, since
 * refusing costs it too. A call is refused here with the probability max(0, (calls − ratio × accepted) / (calls + 1)).
 */
export function throttle({ service, ratio = 2, windowMs = 120_000, clock, random }: ThrottlePolicyOptions): Interceptor {
  const calls = new SlidingSum(slots, windowMs / slots, clock);
  const accepted = new SlidingSum(slots, windowMs / slots, clock);
  return (next) => (request) => {
    const probability = (calls.total - ratio * accepted.total) / (calls.total + 1);
    if (probability > 0 && random() < probability) {
      calls.add();
      const share = Math.round((100 * accepted.total) / Math.max(1, calls.total));
      const message = `"${service}" accepts ${share} % of the calls: this one was held back (throttle)`;
      return Promise.reject(new MeshError("ERR_MESH_OVERLOADED", message, { service, maybeExecuted: false, stack: false }));
    }
    return next(request).then(
      (response) => {
        // Now, and not when it was sent: of a call that is under way nobody knows whether it is accepted.
        calls.add();
        if (!isOverload(response.status)) accepted.add();
        return response;
      },
      (error: unknown) => {
        calls.add();
        // The caller's own abort says nothing against the service.
        if (outcomeOfError(error) !== "failure") accepted.add();
        throw error;
      },
    );
  };
}
