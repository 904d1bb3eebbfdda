import type { Clock } from "../../core/clock.ts";
import { LogBuckets } from "../../core/observing/log-buckets.ts";

/** Quantiles are exact to 9 %. */
const bucketsPerOctave = 8;
const windows = 3;
const windowMs = 10_000;

/** The latencies of the last 20 to 30 seconds, in a few kilobytes whatever their number. */
export class LatencyHistogram {
  readonly #clock: Clock;
  readonly #buckets: readonly LogBuckets[] = Array.from({ length: windows }, () => new LogBuckets(bucketsPerOctave));
  #window: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#window = Math.floor(clock.now() / windowMs);
  }

  /** Records a latency, in milliseconds. */
  record(ms: number): void {
    this.#current().add(ms);
  }

  /**
   * The bound, in milliseconds, that the share `quantile` (0–1) of the latencies did not exceed; `undefined` with fewer than `minCount`
   * latencies.
   */
  quantile(quantile: number, minCount: number): number | undefined {
    this.#current();
    const all = new LogBuckets(bucketsPerOctave);
    for (const buckets of this.#buckets) all.merge(buckets);
    return all.total < minCount ? undefined : all.quantile(quantile, 1);
  }

  #current(): LogBuckets {
    const now = Math.floor(this.#clock.now() / windowMs);
    for (let steps = Math.min(now - this.#window, windows); steps > 0; steps--) this.#buckets[(now - steps + 1) % windows]?.clear();
    this.#window = now;
    return this.#buckets[now % windows] as LogBuckets;
  }
}
