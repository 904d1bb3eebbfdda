import { checkInteger, checkKeys, checkNumber } from "../../core/settings/checks.ts";
import type { LimitAlgorithm, LimitSample } from "./limit-algorithm.ts";

/** Options of {@link aimd}. */
export interface AimdOptions {
  /** The first limit. @default 20 */
  readonly initial?: number;
  /** The lowest limit, 1 or more. @default 20 */
  readonly min?: number;
  /** The highest limit. @default 200 */
  readonly max?: number;
  /** Factor of the limit for each dropped attempt, 0.5 to 0.999. @default 0.9 */
  readonly backoffRatio?: number;
  /** Duration from which on an attempt counts as dropped, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

const optionKeys = ["initial", "min", "max", "backoffRatio", "timeoutMs"];

/**
 * Additive increase, multiplicative decrease. Each attempt that is not dropped raises the limit by one, provided that at least half of the limit
 * is in use; each dropped one multiplies it by `backoffRatio`. The constants are those of `AIMDLimit` in Netflix's concurrency-limits.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function aimd(options: AimdOptions = {}): LimitAlgorithm {
  const { initial = 20, min = 20, max = 200, backoffRatio = 0.9, timeoutMs = 5_000 } = options;
  checkKeys("aimd", options, optionKeys);
  checkInteger("aimd: min", min, 1);
  checkInteger("aimd: max", max, min);
  checkInteger("aimd: initial", initial, min, max);
  checkNumber("aimd: backoffRatio", backoffRatio, 0.5, 0.999);
  checkNumber("aimd: timeoutMs", timeoutMs, 1);
  return {
    begin() {
      let value = initial;
      return {
        get value() {
          return value;
        },
        learn({ ms, inFlight, dropped }: LimitSample) {
          if (dropped || ms > timeoutMs) value = Math.floor(value * backoffRatio);
          else if (inFlight * 2 >= value) value++;
          value = Math.min(max, Math.max(min, value));
        },
      };
    },
  };
}
