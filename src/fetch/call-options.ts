import { inspect } from "node:util";
import type { CallOptions } from "../core/dispatch.ts";
import { checkChoice, checkKeys, checkNumber, checkObject } from "../core/options.ts";

const callKeys = ["priority", "timeoutMs", "attemptTimeoutMs", "idempotent", "retry", "hashKey", "route"] as const;

/**
 * Checks `init.mesh` of one call.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkCallOptions(options: CallOptions): void {
  checkObject("mesh", options);
  checkKeys("mesh", options, callKeys);
  checkLimit("mesh.timeoutMs", options.timeoutMs);
  checkLimit("mesh.attemptTimeoutMs", options.attemptTimeoutMs);
  if (options.idempotent !== undefined && typeof options.idempotent !== "boolean")
    throw new TypeError(`mesh.idempotent must be true or false, not ${inspect(options.idempotent)}`);
  if (options.retry !== undefined && options.retry !== false)
    throw new TypeError(`mesh.retry must be false or absent, not ${inspect(options.retry)}`);
  checkChoice("mesh.priority", options.priority, ["high", "normal", "low"]);
  for (const key of ["hashKey", "route"] as const) {
    if (options[key] !== undefined && typeof options[key] !== "string")
      throw new TypeError(`mesh.${key} must be a string, not ${inspect(options[key])}`);
  }
}

function checkLimit(option: string, value: number | false | undefined): void {
  if (value !== false) checkNumber(option, value, 1);
}
