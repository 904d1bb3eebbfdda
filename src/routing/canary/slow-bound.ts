import { LogBuckets } from "../../core/observing/log-buckets.ts";

/** Answers of the stable target before which none is called slow. */
const leastAnswers = 20;
/** Answers after which half of what was learnt is forgotten. */
const mostAnswers = 2_000;
/** A canary that is slower by less than this, in milliseconds, is not: the instance that is called more is the warm one. */
const leastSlowerMs = 5;

/**
 * The times above which answers count as slow: for the stable target, its median of the answers so far; for the canary, `maxSlowdown` times that. A canary that
 * is no slower than allowed is above its bound no oftener than the stable target is above its own, whatever that is.
 */
export class SlowBound {
  readonly #maxSlowdown: number;
  readonly #former = new LogBuckets(8);
  readonly #latest = new LogBuckets(8);
  #stableMs: number | undefined = undefined;

  constructor(maxSlowdown: number) {
    this.#maxSlowdown = maxSlowdown;
  }

  /** Whether an answer was slow; `undefined` while that is not known. The bound is that of the last {@link settle}. */
  isSlow(isCanary: boolean, ms: number): boolean | undefined {
    if (!isCanary) this.#latest.add(ms);
    if (this.#stableMs === undefined) return undefined;
    return ms > (isCanary ? Math.max(this.#stableMs * this.#maxSlowdown, this.#stableMs + leastSlowerMs) : this.#stableMs);
  }

  /** Takes the answers so far for the bounds of those that follow: a bound is never made of the answers that it judges. */
  settle(): void {
    const known = new LogBuckets(8);
    known.merge(this.#former);
    known.merge(this.#latest);
    if (known.total < leastAnswers) return;
    this.#stableMs = known.quantile(0.5, 1);
    if (this.#latest.total < mostAnswers) return;
    this.#former.clear();
    this.#former.merge(this.#latest);
    this.#latest.clear();
  }
}
