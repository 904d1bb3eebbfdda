import { checkInteger, checkKeys, checkNumber } from "../../core/options.ts";
import type { LimitAlgorithm, LimitSample } from "./limit-algorithm.ts";

/** Options of {@link aimd}. */
export interface AimdOptions {
  /** The limit at first. @default 20 */
  readonly initial?: number;
  /** @default 20 */
  readonly min?: number;
  /** @default 200 */
  readonly max?: number;
  /** What a dropped attempt leaves of the limit, from 0.5 to below 1. @default 0.9 */
  readonly backoffRatio?: number;
  /** An attempt that takes longer counts as dropped, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

const optionKeys = ["initial", "min", "max", "backoffRatio", "timeoutMs"];

/**
 * Additive increase, multiplicative decrease: one more with every attempt that ends well while at least half of the limit is in use,
 * a tenth less with every one that is dropped. Constants of Netflix's concurrency-limits (`AIMDLimit`).
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
