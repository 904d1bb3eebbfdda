import type { Clock, Timer } from "../../core/clock.ts";
import type { EjectionRule } from "../../core/ejection-rule.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { EjectionSettings } from "./ejection-options.ts";
import { failurePercentageOutliers } from "./failure-percentage.ts";
import type { OutcomeCounts } from "./outcome-counts.ts";
import { successRateOutliers } from "./success-rate.ts";

/** The rules of an {@link OutlierSweep}, and what it does with an outlier. */
export interface OutlierSweepOptions {
  readonly settings: Pick<EjectionSettings, "intervalMs" | "successRate" | "failurePercentage">;
  readonly clock: Clock;
  /** `false` for an instance that is out of rotation already: it is neither compared nor ejected. */
  readonly isInRotation: (upstream: Upstream) => boolean;
  /** Called for each outlier, the worst first. */
  readonly eject: (upstream: Upstream, rule: EjectionRule) => void;
}

/**
 * Counts the outcomes of a service's instances while something fails, and finds the outliers after each interval. The first failure begins the
 * sweeps and an interval without a failure ends them: a service that is healthy or idle has no timer, and nothing is counted.
 */
export class OutlierSweep {
  readonly #options: OutlierSweepOptions;
  #counts = new Map<Upstream, { calls: number; failures: number }>();
  #hasFailed = false;
  #timer: Timer = undefined;
  #isDisposed = false;

  constructor(options: OutlierSweepOptions) {
    this.#options = options;
  }

  /** Counts one outcome of `upstream`. */
  count(upstream: Upstream, isFailure: boolean): void {
    if (this.#timer === undefined) {
      if (!isFailure || this.#isDisposed) return;
      this.#arm();
    }
    let counts = this.#counts.get(upstream);
    if (counts === undefined) {
      counts = { calls: 0, failures: 0 };
      this.#counts.set(upstream, counts);
    }
    counts.calls++;
    if (!isFailure) return;
    counts.failures++;
    this.#hasFailed = true;
  }

  /** Ends the sweeps for good. */
  dispose(): void {
    this.#isDisposed = true;
    this.#options.clock.clearTimer(this.#timer);
    this.#counts.clear();
  }

  #arm(): void {
    const { clock, settings } = this.#options;
    this.#timer = clock.setTimer(this.#sweep, settings.intervalMs, false);
  }

  readonly #sweep = (): void => {
    const { isInRotation, eject } = this.#options;
    const counts = [...this.#counts].filter(([upstream]) => !upstream.removed && isInRotation(upstream));
    // A new map: instances that have left go with the old one.
    this.#counts = new Map();
    this.#timer = undefined;
    if (this.#hasFailed) this.#arm();
    this.#hasFailed = false;
    for (const [upstream, rule] of this.#outliersOf(counts)) eject(upstream, rule);
  };

  /** The worst outlier first, since not all of them may be ejected. */
  #outliersOf(counts: readonly (readonly [Upstream, OutcomeCounts])[]): readonly (readonly [Upstream, EjectionRule])[] {
    const { successRate, failurePercentage } = this.#options.settings;
    const rules = new Map<Upstream, EjectionRule>();
    if (successRate !== false) for (const upstream of successRateOutliers(counts, successRate)) rules.set(upstream, "success rate");
    if (failurePercentage !== false)
      for (const upstream of failurePercentageOutliers(counts, failurePercentage)) rules.set(upstream, "failure percentage");
    const shareOf = ([, { calls, failures }]: readonly [Upstream, OutcomeCounts]) => failures / calls;
    return counts
      .filter(([upstream]) => rules.has(upstream))
      .sort((one, other) => shareOf(other) - shareOf(one))
      .map(([upstream]) => [upstream, rules.get(upstream) as EjectionRule]);
  }
}
