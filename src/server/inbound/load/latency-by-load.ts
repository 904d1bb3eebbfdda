/** Part of the way to a new latency that an average goes. */
const smoothing = 0.1;
/** Age from which on an average is replaced instead of followed, in milliseconds. */
const staleMs = 10_000;
/** Classes of requests in flight: 1, 2–3, 4–7, and so on. */
const classes = 32;

/** The latency of requests by how many were in flight when they arrived, so that the one of the present load can be told. */
export class LatencyByLoad {
  readonly #means = new Float64Array(classes);
  readonly #at = new Float64Array(classes).fill(Number.NEGATIVE_INFINITY);

  /** A request that arrived as one of `inFlight` has taken `ms`. */
  add(inFlight: number, ms: number, now: number): void {
    const place = classOf(inFlight);
    const mean = this.#means[place] as number;
    this.#means[place] = now - (this.#at[place] as number) > staleMs ? ms : mean + smoothing * (ms - mean);
    this.#at[place] = now;
  }

  /** The latency to expect with `inFlight`, in milliseconds: that of the nearest class that is known; 0 while none is. */
  at(inFlight: number): number {
    const place = classOf(inFlight);
    for (let distance = 0; distance < classes; distance++) {
      for (const near of [place - distance, place + distance])
        if ((this.#at[near] ?? Number.NEGATIVE_INFINITY) > Number.NEGATIVE_INFINITY) return this.#means[near] as number;
    }
    return 0;
  }
}

function classOf(inFlight: number): number {
  return Math.min(classes - 1, 31 - Math.clz32(Math.max(1, inFlight)));
}
