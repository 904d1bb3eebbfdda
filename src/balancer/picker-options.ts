import { type Clock, type Random, systemClock } from "../core/clock.ts";
import { checkFunction, checkKeys, checkObject } from "../core/settings/checks.ts";
import type { OptionRule } from "../core/settings/option-rule.ts";
import type { OptionRules, OptionTable, Settled } from "../core/settings/option-table.ts";
import { custom } from "../core/settings/rules.ts";
import type { PickerContext } from "./picker.ts";

/** The rule of an option with random numbers. */
export const randomRule: OptionRule<Random | undefined> = custom({
  type: "() => number",
  default: undefined,
  defaultText: "the mesh's",
  check: checkFunction,
});

/** The rule of an option with a clock. */
export const clockRule: OptionRule<Clock | undefined> = custom({
  type: "Clock",
  default: undefined,
  defaultText: "the mesh's",
  check: checkObject,
});

/**
 * Checks the options of a picker and fills in the defaults. Clock and random numbers stay open until the service is known.
 * @param picker the name of the picker, for messages
 * @throws TypeError or RangeError naming the option and the value
 */
export function settlePicker<Options extends object, Rules extends OptionRules<Options>>(
  picker: string,
  table: OptionTable<Options, Rules>,
  options: Options,
): Settled<Rules> {
  checkKeys(picker, options, table.names);
  table.checkValues(`${picker}: `, options);
  return table.settle(options);
}

/** Time and chance of one picker. */
export interface PickerSources {
  readonly clock: Clock;
  readonly random: Random;
}

/** The clock and the random numbers of a picker: those of its own options, else the mesh's, else the process's. */
export function sourcesOf(
  own: { readonly clock?: Clock | undefined; readonly random?: Random | undefined },
  context: PickerContext | undefined,
): PickerSources {
  return { clock: own.clock ?? context?.clock ?? systemClock, random: own.random ?? context?.random ?? Math.random };
}
