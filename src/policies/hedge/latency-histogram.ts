import type { Clock } from "../../core/clock.ts";

const bucketsPerOctave = 8;
const octaves = 24;
/** The lowest bucket ends at a hundredth of a millisecond, the highest begins at about 160 seconds. */
const lowestMs = 0.01;
const windows = 3;
const windowMs = 10_000;

/**
 * Latencies of the last 20 to 30 seconds in logarithmic buckets: a percentile is right to about 9 %, at a few kilobytes and
 * nanoseconds, however many there are.
 */
export class LatencyHistogram {
  readonly #clock: Clock;
  readonly #counts: readonly Uint32Array[] = Array.from({ length: windows }, () => new Uint32Array(bucketsPerOctave * octaves));
  #window: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#window = Math.floor(clock.now() / windowMs);
  }

  /** Takes one latency in milliseconds. */
  record(ms: number): void {
    const counts = this.#current();
    const octave = Math.log2(Math.max(ms, lowestMs) / lowestMs);
    const bucket = Math.min(counts.length - 1, Math.max(0, Math.floor(octave * bucketsPerOctave)));
    counts[bucket] = (counts[bucket] as number) + 1;
  }

  /** What the share `quantile` (0–1) of the latencies did not exceed, in milliseconds; `undefined` with fewer than `minCount` of them. */
  quantile(quantile: number, minCount: number): number | undefined {
    this.#current();
    const total = this.#counts.reduce((sum, counts) => counts.reduce((inner, count) => inner + count, sum), 0);
    if (total < minCount) return undefined;
    let rest = Math.ceil(total * quantile);
    for (let bucket = 0; bucket < bucketsPerOctave * octaves; bucket++) {
      for (const counts of this.#counts) rest -= counts[bucket] as number;
      // The upper end of the bucket: at least so many were as fast.
      if (rest <= 0) return lowestMs * 2 ** ((bucket + 1) / bucketsPerOctave);
    }
    return undefined;
  }

  #current(): Uint32Array {
    const now = Math.floor(this.#clock.now() / windowMs);
    for (let steps = Math.min(now - this.#window, windows); steps > 0; steps--) this.#counts[(now - steps + 1) % windows]?.fill(0);
    this.#window = now;
    return this.#counts[now % windows] as Uint32Array;
  }
}
