import type { Clock } from "../../core/clock.ts";
import { LatencyHistogram } from "./latency-histogram.ts";

/** What a {@link HedgeDelay} needs. */
export interface HedgeDelayOptions {
  /** 0–1. */
  readonly quantile: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly clock: Clock;
}

const refreshMs = 3_000;
/** A percentile of fewer latencies is chance. */
const minCount = 50;

/** How long a call is waited for before it is hedged: a percentile of the last half minute, looked up anew every three seconds. */
export class HedgeDelay {
  readonly #options: HedgeDelayOptions;
  readonly #latencies: LatencyHistogram;
  #refreshAt: number;
  #delayMs: number | undefined = undefined;

  constructor(options: HedgeDelayOptions) {
    this.#options = options;
    this.#latencies = new LatencyHistogram(options.clock);
    this.#refreshAt = options.clock.now() + refreshMs;
  }

  /** Takes a latency in milliseconds. */
  learn(ms: number): void {
    this.#latencies.record(ms);
  }

  /** In milliseconds; `undefined` while too little is known, and where it would be too long to be of use. */
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
