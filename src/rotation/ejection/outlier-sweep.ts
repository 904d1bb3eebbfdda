import type { Clock, Timer } from "../../core/clock.ts";
import type { EjectionRule } from "../../core/ejection-rule.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { EjectionOptions, OutcomeCounts } from "./ejection.ts";
import { failurePercentageOutliers } from "./failure-percentage.ts";
import { successRateOutliers } from "./success-rate.ts";

/** What an {@link OutlierSweep} needs. */
export interface OutlierSweepOptions extends EjectionOptions {
  readonly clock: Clock;
  /** `false`: it is out of rotation already, so that it neither counts nor can be taken out. */
  readonly isInRotation: (upstream: Upstream) => boolean;
  /** Takes one out, if that may be; called with the worst first. */
  readonly eject: (upstream: Upstream, rule: EjectionRule) => void;
}

/**
 * Counts what the instances of one service answer while something fails, and says after every interval who is an outlier. The first
 * failure starts it and an interval without one ends it: a service that is healthy or idle has no timer and counts nothing.
 */
export class OutlierSweep {
  readonly #options: OutlierSweepOptions;
  readonly #intervalMs: number;
  #counts = new Map<Upstream, { calls: number; failures: number }>();
  #hasFailed = false;
  #timer: Timer = undefined;
  #isDisposed = false;

  constructor(options: OutlierSweepOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 10_000;
  }

  /** Takes one outcome of `upstream`. */
  count(upstream: Upstream, isFailure: boolean): void {
    if (this.#timer === undefined) {
      if (!isFailure || this.#isDisposed) return;
      this.#timer = this.#options.clock.setTimer(this.#sweep, this.#intervalMs, false);
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

  /** Stops it for good. */
  dispose(): void {
    this.#isDisposed = true;
    this.#options.clock.clearTimer(this.#timer);
    this.#counts.clear();
  }

  readonly #sweep = (): void => {
    const { clock, successRate, failurePercentage, isInRotation, eject } = this.#options;
    const counts = [...this.#counts].filter(([upstream]) => !upstream.removed && isInRotation(upstream));
    // A new map: instances that have left are forgotten with the old one.
    this.#counts = new Map();
    this.#timer = this.#hasFailed ? clock.setTimer(this.#sweep, this.#intervalMs, false) : undefined;
    this.#hasFailed = false;
    const outliers = new Map<Upstream, EjectionRule>();
    if (successRate !== false) for (const upstream of successRateOutliers(counts, successRate)) outliers.set(upstream, "success rate");
    if (failurePercentage !== false)
      for (const upstream of failurePercentageOutliers(counts, failurePercentage)) outliers.set(upstream, "failure percentage");
    const failing = ([upstream, { calls, failures }]: readonly [Upstream, OutcomeCounts]) =>
      outliers.has(upstream) ? [[upstream, failures / calls] as const] : [];
    // The worst first, since not all may go.
    for (const [upstream] of counts.flatMap(failing).sort(([, one], [, other]) => other - one))
      eject(upstream, outliers.get(upstream) as EjectionRule);
  };
}
