import type { Random } from "../../core/clock.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { PerList } from "../lists/per-list.ts";
import { pickByChance, type RunningSums, runningSums } from "../lists/running-sums.ts";
import { weightOf } from "../lists/weights.ts";
import type { Picker, PickerContext } from "../picker.ts";
import { randomRule, settlePicker, sourcesOf } from "../picker-options.ts";

/** Options of {@link random}. */
export interface RandomOptions {
  /** Source of the random numbers; a seeded one makes the sequence repeatable. @default the mesh's */
  readonly random?: Random;
}

/** The rules of {@link RandomOptions}. */
export const randomOptions = optionTable<RandomOptions>()({ random: randomRule });

/**
 * A candidate at random, each with a chance in proportion to its weight.
 * @throws TypeError naming the option and the value.
 */
export function random(options: RandomOptions = {}): Picker {
  return randomPicker(settlePicker("random", randomOptions, options), undefined);
}

function randomPicker(settings: { readonly random: Random | undefined }, context: PickerContext | undefined): Picker {
  const { random: nextRandom } = sourcesOf(settings, context);
  const sums = new PerList<RunningSums>(runningSums);
  return {
    update: (upstreams) => sums.announce(upstreams),
    // A retry picks from a part of a list, which has no sums yet.
    pick: (upstreams) => pickByChance(upstreams, sums.of(upstreams) ?? runningSums(upstreams), nextRandom),
    explain: (upstream) => ({ weight: weightOf(upstream) }),
    explainPick: () => ({ reason: "drawn at random, by weight" }),
    forService: (_service, serviceContext) => randomPicker(settings, serviceContext),
  };
}
