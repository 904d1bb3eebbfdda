import type { Random } from "../../core/clock.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { PerList } from "../lists/per-list.ts";
import type { Picker, PickerContext } from "../picker.ts";
import { randomRule, settlePicker, sourcesOf } from "../picker-options.ts";

/** Options of {@link roundRobin}. */
export interface RoundRobinOptions {
  /** Chooses the first instance, so that clients that start together do not all begin with the same one. @default the mesh's */
  readonly random?: Random;
}

/** The rules of {@link RoundRobinOptions}. */
export const roundRobinOptions = optionTable<RoundRobinOptions>()({ random: randomRule });

/** The last turn of a list; its index is `last` modulo the length. */
interface Turn {
  last: number;
}

/** Keeps the counter a small integer of V8, which is incremented without allocating. */
const mask = 0x3fff_ffff;

/**
 * Every candidate in turn, whatever its weight.
 * @throws TypeError naming the option and the value.
 */
export function roundRobin(options: RoundRobinOptions = {}): Picker {
  return roundRobinPicker(settlePicker("roundRobin", roundRobinOptions, options), undefined);
}

function roundRobinPicker(settings: { readonly random: Random | undefined }, context: PickerContext | undefined): Picker {
  const { random } = sourcesOf(settings, context);
  const begin = (): Turn => ({ last: Math.floor(random() * 1_000_003) & mask });
  const turns = new PerList<Turn>((_list, before) => (before === undefined ? begin() : { last: before.last }));
  // A retry picks from a part of a list, and must not take a turn of the whole list.
  const ofParts = begin();
  return {
    update: (upstreams) => turns.announce(upstreams),
    pick(upstreams) {
      if (upstreams.length === 0) return undefined;
      const turn = turns.of(upstreams) ?? ofParts;
      turn.last = (turn.last + 1) & mask;
      return upstreams[turn.last % upstreams.length];
    },
    explain: () => ({ meant: 1 }),
    explainPick: () => ({ reason: "its turn" }),
    forService: (_service, serviceContext) => roundRobinPicker(settings, serviceContext),
  };
}
