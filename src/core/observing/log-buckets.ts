const octaves = 24;
/** Upper bound of the first bucket; the last one begins at about 160 seconds. */
const lowestMs = 0.01;

/**
 * Counts of latencies in logarithmic buckets, `perOctave` for each doubling, from 0.01 ms to about 160 s. A quantile is exact to the width
 * of one bucket; memory is 96 bytes × `perOctave`, however many latencies are counted.
 */
export class LogBuckets {
  readonly #perOctave: number;
  readonly #counts: Uint32Array;
  #total = 0;

  constructor(perOctave: number) {
    this.#perOctave = perOctave;
    this.#counts = new Uint32Array(perOctave * octaves);
  }

  /** Number of latencies counted. */
  get total(): number {
    return this.#total;
  }

  /** Counts one latency, in milliseconds. A latency out of range counts in the first or the last bucket. */
  add(ms: number): void {
    const bucket = ms <= lowestMs ? 0 : Math.min(this.#counts.length - 1, Math.floor(Math.log2(ms / lowestMs) * this.#perOctave));
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#total++;
  }

  /** Adds the counts of another histogram, which must have the same buckets. */
  merge(other: LogBuckets): void {
    if (other.#total === 0) return;
    for (let bucket = 0; bucket < this.#counts.length; bucket++)
      this.#counts[bucket] = (this.#counts[bucket] as number) + (other.#counts[bucket] as number);
    this.#total += other.#total;
  }

  /** Removes all counts. */
  clear(): void {
    if (this.#total === 0) return;
    this.#counts.fill(0);
    this.#total = 0;
  }

  /**
   * The quantile `share` (0–1) in milliseconds; `undefined` without a latency. `at` is the position within the bucket of the quantile, 0–1: 1
   * gives a bound that this share of the latencies did not exceed, 0.5 the best estimate.
   */
  quantile(share: number, at: number): number | undefined {
    if (this.#total === 0) return undefined;
    let rest = Math.ceil(this.#total * share);
    const bucket = this.#counts.findIndex((count) => {
      rest -= count;
      return rest <= 0;
    });
    return lowestMs * 2 ** ((bucket + at) / this.#perOctave);
  }
}
