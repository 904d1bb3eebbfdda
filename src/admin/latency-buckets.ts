import type { LatencyReading } from "./snapshot.ts";

const perOctave = 16;
const octaves = 24;
/** The first bucket ends here; the last begins at about 160 seconds. */
const lowestMs = 0.01;

/** Latencies in logarithmic buckets: a quantile is right to about 2 %, in a kilobyte and a half, however many there are. */
export class LatencyBuckets {
  readonly #counts = new Uint32Array(perOctave * octaves);
  #total = 0;

  /** Takes one latency, in milliseconds. */
  add(ms: number): void {
    const bucket = ms <= lowestMs ? 0 : Math.min(perOctave * octaves - 1, Math.floor(Math.log2(ms / lowestMs) * perOctave));
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#total++;
  }

  /** Adds all of another. */
  merge(other: LatencyBuckets): void {
    if (other.#total === 0) return;
    for (let bucket = 0; bucket < this.#counts.length; bucket++)
      this.#counts[bucket] = (this.#counts[bucket] as number) + (other.#counts[bucket] as number);
    this.#total += other.#total;
  }

  /** Forgets all. */
  clear(): void {
    if (this.#total === 0) return;
    this.#counts.fill(0);
    this.#total = 0;
  }

  /** p50, p95 and p99; `null` when nothing was taken. */
  read(): LatencyReading | null {
    if (this.#total === 0) return null;
    const ranks = [0.5, 0.95, 0.99].map((quantile) => Math.ceil(this.#total * quantile));
    const values: number[] = [];
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length && values.length < ranks.length; bucket++) {
      seen += this.#counts[bucket] as number;
      // The middle of the bucket, as logarithms have it.
      while (values.length < ranks.length && seen >= (ranks[values.length] as number))
        values.push(lowestMs * 2 ** ((bucket + 0.5) / perOctave));
    }
    const [p50 = 0, p95 = 0, p99 = 0] = values;
    return { p50, p95, p99 };
  }
}
