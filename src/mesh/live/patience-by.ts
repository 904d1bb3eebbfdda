import type { PatienceLimits } from "../../attempts/patience.ts";
import type { WireSettings } from "../../core/connection-options.ts";
import { attemptTimeoutOption } from "../../policies/attempt-timeout.ts";
import { timeoutOption } from "../../policies/deadline.ts";
import type { ServiceOptions } from "../service-options.ts";

/** The time limits of a service by which silence of an instance is judged. */
export function patienceBy(options: ServiceOptions, { bodyIdleTimeoutMs }: WireSettings): PatienceLimits {
  return { ...attemptTimeoutOption.settle(options), ...timeoutOption.settle(options), bodyIdleTimeoutMs };
}
