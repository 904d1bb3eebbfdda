import type { Clock, Random } from "../../core/clock.ts";
import type { MeshResponse } from "../../core/dispatch.ts";
import type { Upstream } from "../../core/upstream.ts";
import { drawIndex } from "../lists/draw.ts";
import { PerList } from "../lists/per-list.ts";
import { PerUpstream } from "../lists/per-upstream.ts";
import { pickByChance, runningSums } from "../lists/running-sums.ts";
import { loadReportOf, loadReportOfTrailers } from "../load-reports/load-report.ts";
import { ReportedWeight } from "../load-reports/reported-weight.ts";
import type { MalformedReports, ReportingPicker } from "../load-reports/reporting-picker.ts";
import type { AttemptLearner, PickAccount, PickerContext, PickerView } from "../picker.ts";
import { sourcesOf } from "../picker-options.ts";
import type { Schedule } from "../schedules/schedule.ts";
import { StrideSchedule } from "../schedules/stride-schedule.ts";
import { planOf, type WeightPlan } from "../schedules/weight-plan.ts";
import type { WeightedSettings } from "./weighted-options.ts";

/** The schedule of a list. */
interface ReportedPlan {
  /** The plan by the weights that discovery gives. */
  readonly static: WeightPlan;
  schedule: Schedule;
  /** Turns of all stride schedules so far: each one begins where the one before has ended. */
  sequence: number;
  /** Time at which the weights are computed again. */
  dueAt: number;
}

/**
 * `weighted` by load reports (gRFC A58): a static stride schedule by the weights that the reports of the instances make, computed
 * again by the first pick after `updateMs`. While fewer than two weights are known, the schedule by static weights is used.
 */
export class ReportedWeighted implements ReportingPicker {
  readonly #settings: WeightedSettings;
  readonly #malformed: MalformedReports;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #weights = new PerUpstream(() => new ReportedWeight());
  readonly #plans = new PerList<ReportedPlan>((list, before) => this.#planOf(list, before));

  constructor(settings: WeightedSettings, context?: PickerContext, malformed: MalformedReports = { count: 0 }) {
    const { random, clock } = sourcesOf(settings, context);
    this.#settings = settings;
    this.#malformed = malformed;
    this.#random = random;
    this.#clock = clock;
  }

  get malformedReports(): number {
    return this.#malformed.count;
  }

  // The methods of Picker are own properties, so that a picker may be spread into another one.

  readonly update = (upstreams: readonly Upstream[]): void => {
    this.#weights.update(upstreams);
    this.#plans.announce(upstreams);
  };

  readonly pick = (upstreams: readonly Upstream[]): Upstream | undefined => {
    const plan = this.#plans.of(upstreams);
    if (plan === undefined) return pickByChance(upstreams, runningSums(upstreams), this.#random);
    const now = this.#clock.now();
    // Also when the clock has gone back.
    if (!(now < plan.dueAt && now >= plan.dueAt - this.#settings.updateMs)) this.#updateWeights(plan, now);
    return upstreams[plan.schedule.next()];
  };

  readonly onAttempt = (upstream: Upstream): AttemptLearner => {
    return new ReportReader(this.#weights.of(upstream), this.#malformed, this.#settings, this.#clock);
  };

  readonly explain = (upstream: Upstream): PickerView => {
    const weight = this.#weights.of(upstream);
    const now = this.#clock.now();
    const report = weight.state(now, this.#settings);
    const view = { report, malformedReports: weight.malformed };
    if (report !== "reported") return view;
    const current = weight.at(now, this.#settings);
    return { weight: current, ...view, meant: current };
  };

  readonly explainPick = (): PickAccount => ({ reason: "its turn, by the weights that instances report" });

  readonly forService = (_service: string, context?: PickerContext): ReportingPicker => {
    return new ReportedWeighted(this.#settings, context, this.#malformed);
  };

  #planOf(list: readonly Upstream[], before: ReportedPlan | undefined): ReportedPlan {
    const plan = planOf(list, before?.static, this.#random);
    // Clients that start together must not all begin with the same instance.
    const sequence = before === undefined ? drawIndex(this.#random, 2 ** 32) : sequenceOf(before);
    return { static: plan, schedule: plan.schedule, sequence, dueAt: Number.NEGATIVE_INFINITY };
  }

  #updateWeights(plan: ReportedPlan, now: number): void {
    plan.dueAt = now + this.#settings.updateMs;
    const { upstreams, schedule } = plan.static;
    let known = 0;
    const weights = Float64Array.from(upstreams, (_upstream, index) => {
      const weight = this.#weights.at(upstreams, index).at(now, this.#settings);
      if (weight > 0) known++;
      return weight;
    });
    plan.sequence = sequenceOf(plan);
    plan.schedule = known < 2 ? schedule : new StrideSchedule(weights, plan.sequence);
  }
}

function sequenceOf({ schedule, sequence }: ReportedPlan): number {
  return schedule instanceof StrideSchedule ? schedule.sequence : sequence;
}

/** Reads the load report of one attempt: from the headers, or from the trailers, where gRPC servers send it. */
class ReportReader implements AttemptLearner {
  readonly #weight: ReportedWeight;
  readonly #malformed: MalformedReports;
  readonly #settings: WeightedSettings;
  readonly #clock: Clock;
  #response: MeshResponse | undefined;

  constructor(weight: ReportedWeight, malformed: MalformedReports, settings: WeightedSettings, clock: Clock) {
    this.#weight = weight;
    this.#malformed = malformed;
    this.#settings = settings;
    this.#clock = clock;
  }

  onHead(response: MeshResponse): void {
    if (!this.#take(loadReportOf(response))) this.#response = response;
  }

  onEnd(): void {
    if (this.#response !== undefined) this.#take(loadReportOfTrailers(this.#response.body.trailers));
    this.#response = undefined;
  }

  /** @returns `false` when there is no report */
  #take(report: ReturnType<typeof loadReportOf>): boolean {
    if (report === undefined) return false;
    if (report === "malformed") {
      this.#weight.malformed++;
      this.#malformed.count++;
    } else {
      this.#weight.take(report, this.#clock.now(), this.#settings);
    }
    return true;
  }
}
