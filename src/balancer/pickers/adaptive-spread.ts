import type { TrackRecord } from "../learning/track-record.ts";

/** Difference between two mean latencies, in standard errors, from which on it counts. */
const toldApartAt = 2.2;
/** The same where all candidates together show that they are not alike. */
const toldApartTogetherAt = 0.6;
/** How far the candidates differ beyond what chance explains, in deviations of that figure: from the first one on it counts, and whole from the second. */
const differFrom = 3;
const differAt = 5;
/** Responses of each, on average, up to which they are judged together; of many each can be judged by itself. */
const fewSamples = 20;
/** Least variance of a latency, in square milliseconds: constant ones still differ by chance. */
const leastVariance = 1e-9;

/**
 * How far the mean latencies of all candidates of a pick differ beyond what chance explains: the mean squares between and within them, as in an
 * analysis of variance. Six responses of each of twenty instances tell that some are slower, although no two can be told apart.
 */
export class Spread {
  #candidates = 0;
  #samples = 0;
  #sum = 0;
  #squares = 0;
  #within = 0;

  clear(): void {
    this.#candidates = 0;
    this.#samples = 0;
    this.#sum = 0;
    this.#squares = 0;
    this.#within = 0;
  }

  /** Takes a candidate whose latency is known. */
  add({ samples, meanMs, deviationMs }: TrackRecord): void {
    const part = samples * meanMs;
    this.#candidates++;
    this.#samples += samples;
    this.#sum += part;
    this.#squares += part * meanMs;
    this.#within += samples * deviationMs * deviationMs;
  }

  /** The difference between two of them, in standard errors, from which on it counts. */
  get toldApartAt(): number {
    // Two say as much by their difference.
    if (this.#candidates < 3) return toldApartAt;
    const between = (this.#squares - (this.#sum * this.#sum) / this.#samples) / (this.#candidates - 1);
    const ratio = between / Math.max(this.#within / this.#samples, leastVariance);
    const deviations = (ratio - 1) / Math.sqrt(2 / (this.#candidates - 1));
    const sureness = Math.min(1, Math.max(0, (deviations - differFrom) / (differAt - differFrom)));
    const scarcity = Math.min(1, (fewSamples * this.#candidates) / this.#samples);
    return toldApartAt - sureness * scarcity * (toldApartAt - toldApartTogetherAt);
  }
}
