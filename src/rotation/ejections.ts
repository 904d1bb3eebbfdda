import type { Clock } from "../core/clock.ts";
import type { MeshResponse } from "../core/dispatch.ts";
import type { EjectionRule } from "../core/ejection-rule.ts";
import { retryAfterOf } from "../core/http/retry-after.ts";
import type { Upstream } from "../core/upstream.ts";
import type { EjectionHistories } from "./ejection/ejection-history.ts";
import { isCertain, mayEject, type RotationCount } from "./ejection/ejection-limit.ts";
import type { EjectionSettings } from "./ejection/ejection-options.ts";
import { OutlierSweep } from "./ejection/outlier-sweep.ts";
import type { InstanceCircuits } from "./instance-circuits.ts";

/** Settings of the rules, and the instances that they judge. */
export interface EjectionsOptions {
  readonly settings: EjectionSettings;
  /** `false`: rates are not compared, and any number of circuits may open. */
  readonly isOn: boolean;
  /** The instances that this process uses: a share of them may be out. */
  readonly upstreams: () => readonly Upstream[];
  readonly circuits: InstanceCircuits;
  readonly histories: EjectionHistories;
  readonly clock: Clock;
}

/** Takes out instances by rules that may blame the wrong one, up to the limit: outliers, and instances that ask to be left alone. */
export class Ejections {
  readonly #options: EjectionsOptions;
  /** `undefined` where rates are not compared. */
  readonly #sweep: OutlierSweep | undefined;

  constructor(options: EjectionsOptions) {
    this.#options = options;
    const { settings, isOn, circuits, clock } = options;
    if (!isOn) return;
    this.#sweep = new OutlierSweep({
      settings,
      clock,
      isInRotation: (upstream) => circuits.stateOf(upstream) === "available",
      eject: (upstream, rule) => this.#ejectOutlier(upstream, rule),
    });
  }

  /** Counts an outcome of `upstream` in the rates that are compared. */
  count(upstream: Upstream, isFailure: boolean): void {
    this.#sweep?.count(upstream, isFailure);
  }

  /** Whether one more circuit may open for failures that all instances may have. Nothing is gained by keeping in the only instance. */
  mayOpen(): boolean {
    const { settings, isOn } = this.#options;
    if (!isOn) return true;
    const count = this.#count();
    return count.instances < 2 || mayEject(count, settings.maxEjectionPercent);
  }

  /**
   * Takes out an instance that answers 503 with `Retry-After`, if the limit allows it: for as long as it asks for at least, and for up to half
   * as long again. Returns `true` where it asks for that. A 429 asks one caller alone: other callers find the instance well.
   */
  heedRetryAfter(upstream: Upstream, response: MeshResponse): boolean {
    const { circuits, clock } = this.#options;
    if (response.status !== 503) return false;
    const askedMs = retryAfterOf(response, clock.wallNow());
    if (!askedMs || circuits.isOver(upstream)) return false;
    // Varied by ± 20 %: 1 to 1.5 times of what is asked for.
    const lengthMs = 1.25 * askedMs;
    const isOut = circuits.stateOf(upstream) !== "available";
    if (isOut || this.#mayEject()) circuits.getOrMake(upstream).trip("retry-after", { baseMs: lengthMs, maxMs: lengthMs });
    return true;
  }

  /** Ends the sweeps. */
  dispose(): void {
    this.#sweep?.dispose();
  }

  #ejectOutlier(upstream: Upstream, rule: EjectionRule): void {
    if (!this.#mayEject()) return;
    const { settings, circuits, histories } = this.#options;
    const { baseEjectionMs, maxEjectionMs } = settings;
    const baseMs = Math.min(maxEjectionMs, baseEjectionMs * 2 ** (histories.nextLevel(upstream) - 1));
    circuits.getOrMake(upstream).trip(rule, { baseMs, maxMs: maxEjectionMs });
  }

  #mayEject(): boolean {
    return mayEject(this.#count(), this.#options.settings.maxEjectionPercent);
  }

  #count(): RotationCount {
    const { upstreams, circuits } = this.#options;
    const all = upstreams();
    let unreachable = 0;
    let ejected = 0;
    // Not over the circuits: instances outside of the subset may have one, too.
    for (const upstream of all) {
      const rule = circuits.get(upstream)?.rule;
      if (rule === undefined) continue;
      if (isCertain(rule)) unreachable++;
      else ejected++;
    }
    return { instances: all.length, unreachable, ejected };
  }
}
