import type { Random } from "../../core/clock.ts";
import type { Upstream } from "../../core/upstream.ts";
import { drawIndex } from "./draw.ts";
import { weighList, weightsOf } from "./weights.ts";

/** The running sums of the weights of a list; `"even"` when all weights are equal. */
export type RunningSums = Float64Array | "even";

/** Computes the running sums of a list. */
export function runningSums(upstreams: readonly Upstream[]): RunningSums {
  if (weighList(upstreams).isEven) return "even";
  const sums = weightsOf(upstreams);
  for (let index = 1; index < sums.length; index++) sums[index] = (sums[index] as number) + (sums[index - 1] as number);
  return sums;
}

/** A member of the list at random, with a chance in proportion to its weight; `undefined` for an empty list. */
export function pickByChance(upstreams: readonly Upstream[], sums: RunningSums, random: Random): Upstream | undefined {
  if (upstreams.length < 2) return upstreams[0];
  return upstreams[sums === "even" ? drawIndex(random, upstreams.length) : drawByWeight(random, sums)];
}

/**
 * An index at random, with a chance in proportion to its weight: the first whose sum is above the drawn number, so never one of weight
 * 0. A number outside [0, 1) from `random` counts as 0.
 */
export function drawByWeight(random: Random, sums: Float64Array): number {
  const drawn = random();
  const target = (drawn >= 0 && drawn < 1 ? drawn : 0) * (sums.at(-1) as number);
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sums[middle] as number) > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
