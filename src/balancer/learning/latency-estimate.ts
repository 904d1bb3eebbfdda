/** Most responses that the estimate is made of: of five hundred equal ones the mean is known to a few per cent. */
const maxSamples = 500;
/** Number of responses, and time constant in milliseconds, of the recent mean, which tells whether the instance has changed. */
const recentSamples = 40;
const recentMs = 3_000;
/**
 * Responses are remembered for at least so many times the mean time between two of them, and recent ones for so many: an instance that is called
 * once in ten seconds would else be forgotten as soon as it is known.
 */
const leastMemory = 50;
const leastRecentMemory = 10;
/** A latency counts as at most so many times the mean: one pause of an instance must not outweigh hundreds of responses. */
const clip = 10;
/** The same for the recent mean: one pause is no change. */
const recentClip = 4;
/** Deviation of the recent mean from the older one, in standard errors, that chance does not explain. */
const changedAt = 3.2;
/** Least number of recent responses that can tell a change. */
const leastRecent = 3;
/** Number of samples that the first deviation counts as. Before the second response it is the mean, as of an exponential distribution. */
const priorSamples = 2;
/** So many responses in a row below this part of the mean show that an instance which was avoided has become faster. */
const lowRuns = 3;
const lowPart = 1 / 3;
/** Least deviation of one latency as a part of the mean: instances of constant latency still differ by chance. */
const leastDeviation = 0.1;
/** A latency is beyond chance from so many deviations above the mean on, and never below five times the mean and 5 ms. */
const suspectDeviations = 10;
const suspectFactor = 5;
const suspectMoreMs = 5;
/** Responses before a single one can be beyond chance. */
const leastForSuspicion = 5;

/**
 * The mean latency of an instance, and how well it is known. Responses count the less the older they are, and those before a change
 * that chance does not explain not at all.
 */
export class LatencyEstimate {
  // NaN and not 0, so that V8 keeps the fields as doubles from the start.
  /** In milliseconds; `NaN` until the first response. */
  meanMs = Number.NaN;
  /** Square of the standard error of the mean, in square milliseconds. */
  varianceOfMean = Number.NaN;
  /** Standard deviation of one latency, in milliseconds. */
  deviationMs = Number.NaN;
  /** A single latency above this is beyond chance, in milliseconds. */
  suspectMs = Number.POSITIVE_INFINITY;
  /** Time of the last response; `NaN` before the first. */
  lastAt = Number.NaN;
  /** Number of latencies in a row that were far below the mean, while the instance was avoided for being slow. */
  lowRun = 0;
  /** Number of responses that the mean is made of, less the older they are. */
  samples = Number.NaN;
  #variance = Number.NaN;
  #recentMeanMs = Number.NaN;
  #recent = Number.NaN;

  /** `false` until the first response. */
  get known(): boolean {
    return this.meanMs >= 0;
  }

  /**
   * Takes one latency; anything but a finite number from 0 on is ignored.
   * @param memoryMs time constant in which responses are forgotten
   * @param fairMs mean time between two picks of each candidate
   * @param isSlow the instance is avoided for being slow: it is called so seldom that a few fast responses must do
   */
  observe(latencyMs: number, now: number, memoryMs: number, fairMs = 0, isSlow = false): void {
    if (!(latencyMs >= 0 && latencyMs < Number.POSITIVE_INFINITY)) return;
    if (!this.known) {
      this.#begin(latencyMs, latencyMs, 1, now);
      return;
    }
    this.#forget(now, Math.max(memoryMs, leastMemory * fairMs), Math.max(recentMs, leastRecentMemory * fairMs));
    this.lowRun = isSlow && latencyMs < lowPart * this.meanMs ? this.lowRun + 1 : 0;
    if (this.lowRun >= lowRuns) this.#begin(latencyMs, 2 * latencyMs, lowRuns, now);
    else this.#take(latencyMs);
  }

  #take(latencyMs: number): void {
    const high = Math.max(this.meanMs, this.#recentMeanMs, 0.01);
    this.#recent = Math.min(this.#recent, recentSamples - 1) + 1;
    this.#recentMeanMs += (Math.min(latencyMs, recentClip * high) - this.#recentMeanMs) / this.#recent;
    this.samples = Math.min(this.samples, maxSamples - 1) + 1;
    const counted = Math.min(latencyMs, clip * high);
    const delta = counted - this.meanMs;
    this.meanMs += delta / this.samples;
    this.#variance += (delta * (counted - this.meanMs) - this.#variance) / (this.samples + priorSamples);
    if (this.#hasChanged()) this.#begin(this.#recentMeanMs, this.#recentMeanMs, this.#recent, this.lastAt);
    else this.#conclude();
  }

  #forget(now: number, memoryMs: number, recentMemoryMs: number): void {
    const silence = now - this.lastAt;
    if (!(silence > 0)) return;
    this.samples *= Math.exp(-silence / memoryMs);
    this.#recent *= Math.exp(-silence / recentMemoryMs);
    this.lastAt = now;
  }

  #begin(meanMs: number, deviationMs: number, samples: number, now: number): void {
    this.meanMs = meanMs;
    this.#recentMeanMs = meanMs;
    this.#variance = deviationMs * deviationMs;
    this.samples = samples;
    this.#recent = samples;
    this.lowRun = 0;
    if (!(now <= this.lastAt)) this.lastAt = now;
    this.#conclude();
    this.suspectMs = Number.POSITIVE_INFINITY;
  }

  #conclude(): void {
    const least = leastDeviation * this.meanMs;
    const square = Math.max(this.#variance, least * least);
    this.varianceOfMean = square / this.samples;
    this.deviationMs = Math.sqrt(square);
    this.suspectMs =
      this.samples < leastForSuspicion
        ? Number.POSITIVE_INFINITY
        : Math.max(suspectFactor * this.meanMs + suspectMoreMs, this.meanMs + suspectDeviations * this.deviationMs);
  }

  #hasChanged(): boolean {
    if (this.#recent < leastRecent) return false;
    const least = leastDeviation * this.meanMs;
    const distance = this.#recentMeanMs - this.meanMs;
    // Latencies of an instance that has become faster vary less than before.
    const square = Math.max(this.#variance, least * least) * Math.min(1, this.#recentMeanMs / this.meanMs);
    return distance * distance > (changedAt * changedAt * square) / this.#recent;
  }
}
