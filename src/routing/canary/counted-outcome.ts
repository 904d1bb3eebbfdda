import type { TargetCounts } from "./canary-counts.ts";
import type { CountedKeys } from "./counted-keys.ts";
import type { CallOutcome } from "./followed-call.ts";
import type { SlowBound } from "./slow-bound.ts";

/** Where the outcome of a call is counted: in the step in which it was given to its target. */
export interface CountedBy {
  readonly counts: TargetCounts;
  readonly isCanary: boolean;
  readonly bound: SlowBound;
  readonly keys: CountedKeys;
  /** Of the value that keeps calls together; `undefined` for a call that chance has given to its target by itself. */
  readonly key: number | undefined;
}

/** The outcome of one call, which is counted. */
export class CountedOutcome implements CallOutcome {
  readonly #by: CountedBy;

  constructor(by: CountedBy) {
    this.#by = by;
  }

  ended(isFailure: boolean, ms: number | undefined): void {
    const { counts, isCanary, bound, keys, key } = this.#by;
    counts.calls++;
    if (isFailure) this.broke();
    else if (ms !== undefined) {
      const isSlow = bound.isSlow(isCanary, ms);
      if (isSlow === undefined || !keys.isFirstTimed(key)) return;
      counts.timed++;
      if (isSlow) counts.slow++;
    }
  }

  broke(): void {
    const { counts, keys, key } = this.#by;
    counts.failed++;
    if (keys.isFirstFailure(key)) counts.counted++;
  }
}
