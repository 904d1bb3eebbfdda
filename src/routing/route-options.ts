import type { AttemptTimeoutOption } from "../policies/attempt-timeout.ts";
import type { TimeoutOption } from "../policies/deadline.ts";
import type { RetryOption } from "../policies/retry/retry.ts";

/** Options of a service that a route may have of its own. */
export interface RouteOptions extends TimeoutOption, AttemptTimeoutOption, RetryOption {}
