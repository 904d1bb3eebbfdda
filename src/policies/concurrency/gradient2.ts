import { checkInteger, checkKeys, checkNumber } from "../../core/options.ts";
import type { LimitAlgorithm, LimitSample } from "./limit-algorithm.ts";

/** Options of {@link gradient2}. */
export interface Gradient2Options {
  /** The limit at first. @default 20 */
  readonly initial?: number;
  /** @default 20 */
  readonly min?: number;
  /** @default 200 */
  readonly max?: number;
  /** Attempts that may wait at the instances without the limit going down. @default 4 */
  readonly queueSize?: number;
  /** How many times slower than in the long run attempts may be before the limit goes down. @default 1.5 */
  readonly tolerance?: number;
  /** How much of the way to its new value the limit goes with one attempt, above 0 up to 1. @default 0.2 */
  readonly smoothing?: number;
  /** Attempts that the long run is made of. @default 600 */
  readonly longWindow?: number;
}

const optionKeys = ["initial", "min", "max", "queueSize", "tolerance", "smoothing", "longWindow"];
/** So many attempts are averaged with equal weight before the long run begins to forget. */
const warmUp = 10;

/**
 * Follows latency: as soon as attempts take longer than they do in the long run, somebody queues, and the limit goes down; otherwise
 * it goes up by `queueSize`. Netflix's concurrency-limits (`Gradient2Limit`) with its constants. A dropped attempt takes a tenth, as in
 * {@link aimd}: a service that refuses in no time would look fast.
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
          // What the long run has learnt in an overload must not be taken for normal once it is over.
          if (longMs > 2 * ms) long.shrink();
          // Nobody asks for more than half of it: latency says nothing about the other half.
          if (inFlight < limit / 2) return;
          const gradient = ms > 0 ? Math.min(1, Math.max(0.5, (tolerance * longMs) / ms)) : 1;
          limit = bounded(limit * (1 - smoothing) + smoothing * (limit * gradient + queueSize));
        },
      };
    },
  };
}

/** An average over about `window` values. */
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
