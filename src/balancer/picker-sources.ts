import { type Clock, type Random, systemClock } from "../core/clock.ts";
import type { PickerContext } from "./picker.ts";

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
