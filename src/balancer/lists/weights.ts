import type { Upstream } from "../../core/upstream.ts";

/** The most that discovery lets an endpoint weigh. */
export const maxWeight = 65_535;

/**
 * An upstream's weight as a picker may reckon with it, from 0 to 65535. Discovery gives no others; an upstream of somebody's
 * own may, and what is no number then weighs 1, as if none had been given.
 */
export function weightOf({ weight }: Pick<Upstream, "weight">): number {
  if (weight >= 0 && weight <= maxWeight && typeof weight === "number") return weight;
  if (typeof weight !== "number" || Number.isNaN(weight)) return 1;
  return weight < 0 ? 0 : maxWeight;
}

/** What a weight of 0 counts as in a cost: so little that such an upstream is picked when nothing else can be. */
export const leastWeight = 1e-6;

/** What all weights of a list have in common. */
export interface ListWeights {
  /** All weights are the same, so that they need not be looked at. */
  readonly isEven: boolean;
  readonly mean: number;
}

/** Looks at the weights of a list once, for picks that compare each with the mean. */
export function weighList(upstreams: readonly Upstream[]): ListWeights {
  let total = 0;
  let isEven = true;
  const first = upstreams[0] === undefined ? 1 : weightOf(upstreams[0]);
  for (const upstream of upstreams) {
    const weight = weightOf(upstream);
    total += weight;
    isEven &&= weight === first;
  }
  return { isEven, mean: upstreams.length === 0 ? 1 : total / upstreams.length };
}

/** What a cost is multiplied by because of the weight: 1 for the mean weight, less for more; not infinite for a weight of 0. */
export function costFactor(upstream: Upstream, { isEven, mean }: ListWeights): number {
  return isEven ? 1 : mean / Math.max(weightOf(upstream), leastWeight);
}

/** The weights of a list. */
export function weightsOf(upstreams: readonly Upstream[]): Float64Array {
  const weights = new Float64Array(upstreams.length);
  for (let index = 0; index < weights.length; index++) weights[index] = weightOf(upstreams[index] as Upstream);
  return weights;
}

/** The weights of a list; 1 each where none has any, so that keys still find somebody. */
export function hashWeights(upstreams: readonly Upstream[]): Float64Array {
  const weights = weightsOf(upstreams);
  return weights.every((weight) => weight === 0) ? weights.fill(1) : weights;
}
