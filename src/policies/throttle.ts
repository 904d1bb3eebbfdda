import type { Clock, Random } from "../core/clock.ts";
import type { Interceptor } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { type LayerParts, layer } from "../core/layer.ts";
import { isGatewayError, outcomeOfError } from "../core/outcome.ts";
import { countedStatus } from "../core/rpc/rpc-outcome.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { atOnce, group, number, orFalse } from "../core/settings/rules.ts";
import { SlidingSum } from "./sliding-sum.ts";

/** Client-side throttling; `throttle` in the options of the mesh. */
export interface ThrottleOptions {
  /** Calls are held back once more than this number of them is made for each one that is accepted. @default 2 */
  readonly ratio?: number;
  /** The time over which calls are counted, in milliseconds. @default 120000 */
  readonly windowMs?: number;
}

/** The rules of {@link ThrottleOptions}. */
export const throttleOptions = optionTable<ThrottleOptions>()({
  ratio: number({ default: 2, min: 1 }),
  windowMs: number({ default: 120_000, min: 1, unit: "ms" }),
});

/** The options of {@link throttle}, and the parts that it works with. */
export interface ThrottlePolicyOptions extends ThrottleOptions {
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
}

const slots = 12;

/**
 * Adaptive throttling (Site Reliability Engineering, chapter 21). Refusing calls takes work, too: a service that refuses most calls is not
 * sent all of them. A call is refused here with the probability max(0, (calls − ratio × accepted) / (calls + 1)).
 */
export function throttle(options: ThrottlePolicyOptions): Interceptor {
  return throttling(options).interceptor;
}

/** {@link throttle}, which takes other options: with another `windowMs` it counts anew. */
function throttling({ service, clock, random, ...options }: ThrottlePolicyOptions) {
  let { ratio, windowMs } = throttleOptions.settle(options);
  const newSum = () => new SlidingSum(slots, windowMs / slots, clock);
  let calls = newSum();
  let accepted = newSum();
  const adjust = (other: ThrottleOptions): void => {
    const formerMs = windowMs;
    ({ ratio, windowMs } = throttleOptions.settle(other));
    if (windowMs !== formerMs) [calls, accepted] = [newSum(), newSum()];
  };
  const interceptor: Interceptor = (next) => (request) => {
    const probability = (calls.total - ratio * accepted.total) / (calls.total + 1);
    if (probability > 0 && random() < probability) {
      calls.add();
      const share = Math.round((100 * accepted.total) / Math.max(1, calls.total));
      const message = `"${service}" accepts ${share} % of the calls: this one was held back (throttle)`;
      return Promise.reject(new MeshError("ERR_MESH_OVERLOADED", message, { service, maybeExecuted: false, stack: false }));
    }
    return next(request).then(
      (response) => {
        // Counted now, and not when it was sent: only now it is known whether the service accepts the call.
        calls.add();
        // 429 is said to one caller: the service takes the calls of others.
        if (!isGatewayError(countedStatus(response))) accepted.add();
        return response;
      },
      (error: unknown) => {
        calls.add();
        // Only failures of the service count against it: no aborts of the caller.
        if (outcomeOfError(error) !== "failure") accepted.add();
        throw error;
      },
    );
  };
  return { interceptor, adjust };
}

/** The option of {@link throttleLayer}. */
export interface ThrottleOption {
  /** Holds back calls to a service that refuses most of them; `false` = never. @default false */
  readonly throttle?: ThrottleOptions | false;
}

/** The rule of {@link ThrottleOption}. */
const throttleOption = optionTable<ThrottleOption>()({ throttle: atOnce(orFalse(group(throttleOptions), false)) });

/** Below the breaker of the service: calls that the breaker refuses were not refused by the service. */
export const throttleLayer = layer({
  name: "throttle",
  options: throttleOption,
  build({ throttle: options }, parts: LayerParts) {
    if (options === false) return undefined;
    const { interceptor, adjust } = throttling({ ...parts, ...options });
    return {
      interceptor,
      adjust(given: ThrottleOption) {
        const { throttle: other } = throttleOption.settle(given);
        return other === false ? undefined : () => adjust(other);
      },
    };
  },
});
