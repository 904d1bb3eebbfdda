import { type Clock, systemClock } from "../../core/clock.ts";
import type { MeshResponse } from "../../core/dispatch.ts";
import { drawIndex } from "../lists/draw.ts";
import { PerList } from "../lists/per-list.ts";
import { PerUpstream } from "../lists/per-upstream.ts";
import { pickByChance, runningSums } from "../lists/running-sums.ts";
import { loadReportOf, loadReportOfTrailers } from "../load-reports/load-report.ts";
import { ReportedWeight, type ReportedWeightOptions } from "../load-reports/reported-weight.ts";
import type { ReportingPicker } from "../load-reports/reporting-picker.ts";
import type { AttemptLearner } from "../picker.ts";
import type { Schedule } from "../schedules/schedule.ts";
import { StrideSchedule } from "../schedules/stride-schedule.ts";
import { planOf, type WeightPlan } from "../schedules/weight-plan.ts";
import type { WeightedOptions } from "./weighted-options.ts";

interface ReportedPlan {
  readonly static: WeightPlan;
  schedule: Schedule;
  /** Turns of the stride schedules so far: each begins where the one before has ended. */
  sequence: number;
  /** When the weights are to be reckoned up again. */
  dueAt: number;
}

interface Counter {
  malformed: number;
}

/**
 * gRFC A58: a static stride schedule by the weights that the instances' load reports make, reckoned up again at the first pick
 * after `updateMs`. While fewer than two weights are known it goes by the static ones, which nothing is known against.
 */
export function reportedWeighted(options: WeightedOptions, counter: Counter = { malformed: 0 }): ReportingPicker {
  const { blackoutMs = 10_000, expirationMs = 180_000, updateMs = 1_000, errorUtilizationPenalty = 1 } = options;
  const { random = Math.random, clock = systemClock } = options;
  const rules: ReportedWeightOptions = { blackoutMs, expirationMs, errorUtilizationPenalty };
  const learnt = new PerUpstream(() => new ReportedWeight());
  const plans = new PerList<ReportedPlan>((list, before) => {
    const plan = planOf(list, before?.static, random);
    // Many clients that start together do not all begin with the same instance.
    const sequence = before === undefined ? drawIndex(random, 2 ** 32) : sequenceOf(before);
    return { static: plan, schedule: plan.schedule, sequence, dueAt: Number.NEGATIVE_INFINITY };
  });

  const reckonUp = (plan: ReportedPlan, now: number): void => {
    plan.dueAt = now + updateMs;
    const { upstreams, schedule } = plan.static;
    let known = 0;
    const weights = Float64Array.from(upstreams, (_upstream, index) => {
      const weight = learnt.at(upstreams, index).at(now, rules);
      if (weight > 0) known++;
      return weight;
    });
    plan.sequence = sequenceOf(plan);
    plan.schedule = known < 2 ? schedule : new StrideSchedule(weights, plan.sequence);
  };

  return {
    get malformedReports() {
      return counter.malformed;
    },
    update(upstreams) {
      learnt.update(upstreams);
      plans.announce(upstreams);
    },
    pick(upstreams) {
      const plan = plans.of(upstreams);
      if (plan === undefined) return pickByChance(upstreams, runningSums(upstreams), random);
      const now = clock.now();
      // Also when the clock has gone back.
      if (!(now < plan.dueAt && now >= plan.dueAt - updateMs)) reckonUp(plan, now);
      return upstreams[plan.schedule.next()];
    },
    onAttempt: (upstream) => new ReportLearner(learnt.of(upstream), counter, rules, clock),
    explain(upstream) {
      const weight = learnt.of(upstream);
      const now = clock.now();
      const state = weight.state(now, rules);
      const view = { report: state, malformedReports: weight.malformed };
      return state === "reported" ? { weight: weight.at(now, rules), ...view } : view;
    },
    forService: (_service, context) =>
      reportedWeighted(
        { ...options, random: options.random ?? context?.random ?? random, clock: options.clock ?? context?.clock ?? clock },
        counter,
      ),
  };
}

function sequenceOf({ schedule, sequence }: ReportedPlan): number {
  return schedule instanceof StrideSchedule ? schedule.sequence : sequence;
}

class ReportLearner implements AttemptLearner {
  readonly #weight: ReportedWeight;
  readonly #counter: Counter;
  readonly #rules: ReportedWeightOptions;
  readonly #clock: Clock;
  #response: MeshResponse | undefined;

  constructor(weight: ReportedWeight, counter: Counter, rules: ReportedWeightOptions, clock: Clock) {
    this.#weight = weight;
    this.#counter = counter;
    this.#rules = rules;
    this.#clock = clock;
  }

  onHead(response: MeshResponse): void {
    // A report may also come behind the body, as gRPC's do.
    if (!this.#take(loadReportOf(response))) this.#response = response;
  }

  onEnd(): void {
    if (this.#response !== undefined) this.#take(loadReportOfTrailers(this.#response.body.trailers));
    this.#response = undefined;
  }

  #take(report: ReturnType<typeof loadReportOf>): boolean {
    if (report === undefined) return false;
    if (report === "malformed") {
      this.#weight.malformed++;
      this.#counter.malformed++;
    } else {
      this.#weight.take(report, this.#clock.now(), this.#rules);
    }
    return true;
  }
}
