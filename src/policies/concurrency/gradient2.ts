import { checkInteger, checkKeys, checkNumber } from "../../core/settings/checks.ts";
import type { LimitAlgorithm, LimitSample } from "./limit-algorithm.ts";

/** Options of {@link gradient2}. */
export interface Gradient2Options {
  /** The first limit. @default 20 */
  readonly initial?: number;
  /** The lowest limit, 1 or more. @default 20 */
  readonly min?: number;
  /** The highest limit. @default 200 */
  readonly max?: number;
  /** Attempts that may queue at the instances without lowering the limit; it grows faster with more. @default 4 */
  readonly queueSize?: number;
  /** Ratio of the latency of an attempt to the long-term average from which on the limit falls, 1 to 1000. @default 1.5 */
  readonly tolerance?: number;
  /** Part of the way to its new value that the limit goes with each attempt, 0.001 to 1. @default 0.2 */
  readonly smoothing?: number;
  /** Number of attempts in the long-term average, 10 or more. @default 600 */
  readonly longWindow?: number;
}

const optionKeys = ["initial", "min", "max", "queueSize", "tolerance", "smoothing", "longWindow"];
/** Number of the first attempts whose latencies are averaged with equal weight, before the average becomes exponential. */
const warmUp = 10;

/**
 * Adapts the limit to latency. Attempts that take longer than the long-term average are a sign of queues at the instances: the limit falls. Otherwise
 * it grows by a part of `queueSize` with each attempt. The algorithm and its constants are those of `Gradient2Limit` in Netflix's concurrency-limits. A dropped attempt
 * lowers the limit by a tenth, as in {@link aimd}, since fast refusals would look like low latency.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function gradient2(options: Gradient2Options = {}): LimitAlgorithm {
  const { initial = 20, min = 20, max = 200, queueSize = 4, tolerance = 1.5, smoothing = 0.2, longWindow = 600 } = options;
  checkKeys("gradient2", options, optionKeys);
  checkInteger("gradient2: min", min, 1);
  checkInteger("gradient2: max", max, min);
  checkInteger("gradient2: initial", initial, min, max);
  checkNumber("gradient2: queueSize", queueSize, 0, 1_000_000);
  checkNumber("gradient2: tolerance", tolerance, 1, 1_000);
  checkNumber("gradient2: smoothing", smoothing, 0.001, 1);
  checkInteger("gradient2: longWindow", longWindow, warmUp);
  const bounded = (value: number) => Math.min(max, Math.max(min, value));
  return {
    begin() {
      let limit = initial;
      const long = new LongRun(longWindow);
      return {
        get value() {
          return Math.floor(limit);
        },
        learn({ ms, inFlight, dropped }: LimitSample) {
          if (dropped) {
            limit = bounded(limit * 0.9);
            return;
          }
          const longMs = long.add(ms);
          // After an overload, its latencies must not pass for normal ones.
          if (longMs > 2 * ms) long.shrink();
          // With less than half of the limit in use, latency is no evidence about the limit.
          if (inFlight < limit / 2) return;
          const gradient = ms > 0 ? Math.min(1, Math.max(0.5, (tolerance * longMs) / ms)) : 1;
          limit = bounded(limit * (1 - smoothing) + smoothing * (limit * gradient + queueSize));
        },
      };
    },
  };
}

/** A moving average over about `window` latencies. */
class LongRun {
  readonly #factor: number;
  #count = 0;
  #value = 0;

  constructor(window: number) {
    this.#factor = 2 / (window + 1);
  }

  add(value: number): number {
    this.#count++;
    if (this.#count <= warmUp) this.#value += (value - this.#value) / this.#count;
    else this.#value += this.#factor * (value - this.#value);
    return this.#value;
  }

  shrink(): void {
    this.#value *= 0.95;
  }
}
