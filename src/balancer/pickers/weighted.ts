import type { Random } from "../../core/clock.ts";
import { checkChoice, checkFunction, checkKeys, checkNumber, checkObject } from "../../core/options.ts";
import { PerList } from "../lists/per-list.ts";
import { pickByChance, runningSums } from "../lists/running-sums.ts";
import { weightOf } from "../lists/weights.ts";
import type { ReportingPicker } from "../load-reports/reporting-picker.ts";
import type { Picker } from "../picker.ts";
import { planOf, type WeightPlan } from "../schedules/weight-plan.ts";
import { reportedWeighted } from "./reported-weighted.ts";
import type { WeightedOptions } from "./weighted-options.ts";

const optionKeys = ["by", "blackoutMs", "expirationMs", "updateMs", "errorUtilizationPenalty", "random", "clock"];

/**
 * Everybody in turn, in proportion to the weights. By static weights it is smooth weighted round-robin with exactly nginx's
 * sequence (`ngx_http_upstream_get_peer`) among up to 256 candidates: weights {5, 1, 1} give a a b a c a a; among more the
 * shares are the same and the order is that of the earliest deadline.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function weighted(options: WeightedOptions & { readonly by: "reported" }): ReportingPicker;
export function weighted(options?: WeightedOptions): Picker;
export function weighted(options: WeightedOptions = {}): Picker {
  const { by = "static", random = Math.random } = options;
  checkKeys("weighted", options, optionKeys);
  checkChoice("weighted: by", by, ["static", "reported"]);
  checkNumber("weighted: blackoutMs", options.blackoutMs, 0);
  checkNumber("weighted: expirationMs", options.expirationMs, 1);
  checkNumber("weighted: updateMs", options.updateMs, 100);
  checkNumber("weighted: errorUtilizationPenalty", options.errorUtilizationPenalty, 0, Number.MAX_SAFE_INTEGER);
  checkFunction("weighted: random", random);
  checkObject("weighted: clock", options.clock);
  return by === "static" ? staticWeighted(options, random) : reportedWeighted(options);
}

function staticWeighted(options: WeightedOptions, random: Random): Picker {
  const plans = new PerList<WeightPlan>((list, before) => planOf(list, before, random));
  return {
    update: (upstreams) => plans.announce(upstreams),
    pick(upstreams) {
      const plan = plans.of(upstreams);
      // A retry picks among a part of a list, and takes nobody's turn in the whole of it.
      return plan === undefined ? pickByChance(upstreams, runningSums(upstreams), random) : upstreams[plan.schedule.next()];
    },
    explain: (upstream) => ({ weight: weightOf(upstream) }),
    forService: (_service, context) => staticWeighted(options, options.random ?? context?.random ?? random),
  };
}
