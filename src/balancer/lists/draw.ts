import type { Random } from "../../core/clock.ts";
import { checkInteger, refuseOption } from "../../core/settings/checks.ts";
import type { OptionRule } from "../../core/settings/option-rule.ts";
import { custom } from "../../core/settings/rules.ts";

/** Number of candidates that a pick compares: so many drawn at random, 2 or more, or all. */
export type Choices = number | "all";

/** The rule of an option that holds {@link Choices}; the default is 2. */
export const choicesRule: OptionRule<Choices> = custom<Choices>({
  type: 'number | "all"',
  default: 2,
  range: "at least 2",
  check(option, value) {
    if (value === "all") return;
    if (typeof value === "string") refuseOption(option, value, 'a number from 2 on or "all"');
    checkInteger(option, value, 2);
  },
});

/** A random whole number from 0 to below `size`. A number outside [0, 1) from `random` counts as 0. */
export function drawIndex(random: Random, size: number): number {
  const index = Math.floor(random() * size);
  return index > 0 && index < size ? index : 0;
}

/** One of the two whole numbers next to `mean`, at random, so that they are `mean` on average. */
export function roundAtRandom(mean: number, random: Random): number {
  return Math.floor(mean) + (random() < mean % 1 ? 1 : 0);
}

/**
 * The index below `size` with the lowest cost among `choices` drawn ones, or among all; ties are broken at random. Two are
 * drawn as Finagle's P2C does, never the same one twice. A cost that is not a number is higher than every other.
 */
export function leastIndex(size: number, choices: Choices, random: Random, costOf: (index: number) => number): number {
  if (choices === "all" || choices >= size) return leastOfAll(size, random, costOf);
  const first = drawIndex(random, size);
  let best = first;
  let bestCost = costOf(first);
  for (let draw = 1; draw < choices; draw++) {
    const drawn = drawIndex(random, size - 1);
    const index = drawn >= first ? drawn + 1 : drawn;
    const cost = costOf(index);
    // Ties go to the earlier one: the order of the draws is random already.
    if (cost < bestCost || Number.isNaN(bestCost)) {
      best = index;
      bestCost = cost;
    }
  }
  return best;
}

function leastOfAll(size: number, random: Random, costOf: (index: number) => number): number {
  let best = 0;
  let bestCost = Number.POSITIVE_INFINITY;
  let ties = 0;
  for (let index = 0; index < size; index++) {
    const cost = costOf(index);
    if (cost < bestCost) {
      best = index;
      bestCost = cost;
      ties = 1;
    } else if (cost === bestCost && drawIndex(random, ++ties) === 0) {
      best = index;
    }
  }
  return best;
}
