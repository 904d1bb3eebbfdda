import type { Random } from "../../core/clock.ts";
import { PerList } from "../lists/per-list.ts";
import { pickByChance, runningSums } from "../lists/running-sums.ts";
import { weightOf } from "../lists/weights.ts";
import type { ReportingPicker } from "../load-reports/reporting-picker.ts";
import type { Picker, PickerContext } from "../picker.ts";
import { settlePicker, sourcesOf } from "../picker-options.ts";
import { planOf, type WeightPlan } from "../schedules/weight-plan.ts";
import { ReportedWeighted } from "./reported-weighted.ts";
import { type WeightedOptions, weightedOptions } from "./weighted-options.ts";

/**
 * Every candidate in turn, in proportion to the weights. By static weights this is smooth weighted round-robin with exactly nginx's
 * sequence (`ngx_http_upstream_get_peer`) among up to 256 candidates: weights {5, 1, 1} give a a b a c a a. Among more
 * candidates the shares are the same and the order is earliest deadline first. By reported weights it is gRPC's
 * `weighted_round_robin` (gRFC A58).
 * @throws TypeError or RangeError naming the option and the value.
 */
export function weighted(options: WeightedOptions & { readonly by: "reported" }): ReportingPicker;
export function weighted(options?: WeightedOptions): Picker;
export function weighted(options: WeightedOptions = {}): Picker {
  const settings = settlePicker("weighted", weightedOptions, options);
  return settings.by === "static" ? staticWeighted(settings.random, undefined) : new ReportedWeighted(settings);
}

function staticWeighted(ownRandom: Random | undefined, context: PickerContext | undefined): Picker {
  const { random } = sourcesOf({ random: ownRandom }, context);
  const plans = new PerList<WeightPlan>((list, before) => planOf(list, before, random));
  return {
    update: (upstreams) => plans.announce(upstreams),
    pick(upstreams) {
      const plan = plans.of(upstreams);
      // A retry picks from a part of a list, and must not take a turn of the whole list.
      return plan === undefined ? pickByChance(upstreams, runningSums(upstreams), random) : upstreams[plan.schedule.next()];
    },
    explain: (upstream) => ({ weight: weightOf(upstream) }),
    explainPick: () => ({ reason: "its turn, by weight" }),
    forService: (_service, serviceContext) => staticWeighted(ownRandom, serviceContext),
  };
}
