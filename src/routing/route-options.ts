import { checkKeys, checkObject } from "../core/settings/checks.ts";
import { type AttemptTimeoutOption, attemptTimeoutOption } from "../policies/attempt-timeout.ts";
import { type TimeoutOption, timeoutOption } from "../policies/deadline.ts";
import { type HedgeOption, hedgeOption } from "../policies/hedge/hedge.ts";
import { type MaxResponseBytesOption, maxResponseBytesOption } from "../policies/max-response-bytes.ts";
import { type RetryOption, retryOption } from "../policies/retry/retry.ts";
import { type BreakerOption, breakerOption } from "../policies/service-breaker.ts";

/**
 * Options of a service that a route may have of its own; each replaces that of the service as a whole. They are those that concern single calls, and the
 * breaker: one of its own cuts off the calls of the route alone. Limits of concurrency, throttling and the budget of retries stay those of the service, since
 * they bound what the service gets from all calls together; so do the breakers of instances.
 */
export interface RouteOptions
  extends TimeoutOption,
    AttemptTimeoutOption,
    RetryOption,
    HedgeOption,
    BreakerOption,
    MaxResponseBytesOption {}

/** The tables of {@link RouteOptions}. */
export const routeOptionTables = [
  timeoutOption,
  attemptTimeoutOption,
  retryOption,
  hedgeOption,
  breakerOption,
  maxResponseBytesOption,
] as const;

/** The names of {@link RouteOptions}. */
export const routeOptionNames: readonly string[] = routeOptionTables.flatMap(({ names }) => names);

/**
 * Checks the options of a route. `where` is their name in errors: `routes[3].options`.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkRouteOptions(where: string, options: unknown): void {
  checkObject(where, options);
  if (options === undefined) return;
  checkKeys(where, options as object, routeOptionNames);
  for (const table of routeOptionTables) table.checkValues(`${where}.`, options as object);
  const { retry } = options as RouteOptions;
  if (retry && retry.budget !== undefined)
    throw new TypeError(
      `${where}.retry.budget cannot be of a route: retries of all calls to a service have one budget, by retry.budget of the service`,
    );
}
