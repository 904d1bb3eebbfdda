import type { Clock } from "../../core/clock.ts";
import { LatencyHistogram } from "./latency-histogram.ts";

/** The quantile of a {@link HedgeDelay}, its bounds and its clock. */
export interface HedgeDelayOptions {
  /** Quantile of the latencies that is the delay, 0–1. */
  readonly quantile: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly clock: Clock;
}

const refreshMs = 3_000;
/** Fewest latencies that a quantile is taken of. */
const minCount = 50;

/** The delay before a hedge: a quantile of the latencies of the last half minute, computed every three seconds. */
export class HedgeDelay {
  #options: HedgeDelayOptions;
  readonly #latencies: LatencyHistogram;
  #refreshAt: number;
  #delayMs: number | undefined = undefined;

  constructor(options: HedgeDelayOptions) {
    this.#options = options;
    this.#latencies = new LatencyHistogram(options.clock);
    this.#refreshAt = options.clock.now() + refreshMs;
  }

  /** Takes another quantile and other bounds, which hold at once. */
  adjust(options: Omit<HedgeDelayOptions, "clock">): void {
    this.#options = { ...this.#options, ...options };
    this.#refreshAt = Number.NEGATIVE_INFINITY;
  }

  /** Records a latency, in milliseconds. */
  learn(ms: number): void {
    this.#latencies.record(ms);
  }

  /** The delay in milliseconds; `undefined` while there are too few latencies, and where it would be longer than `maxDelayMs`. */
  current(): number | undefined {
    const { quantile, minDelayMs, maxDelayMs, clock } = this.#options;
    const now = clock.now();
    if (now >= this.#refreshAt) {
      this.#refreshAt = now + refreshMs;
      const ms = this.#latencies.quantile(quantile, minCount);
      this.#delayMs = ms === undefined || ms > maxDelayMs ? undefined : Math.max(minDelayMs, ms);
    }
    return this.#delayMs;
  }
}
