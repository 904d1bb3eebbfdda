import type { Upstream } from "../../core/upstream.ts";

/** The highest weight of an endpoint that discovery accepts. */
export const maxWeight = 65_535;

/**
 * The weight of an upstream for computations, from 0 to 65535. Upstreams from discovery have no other weights; of other upstreams, such
 * as those of tests, a weight that is no number counts as 1, and one out of range as the nearest bound.
 */
export function weightOf({ weight }: Pick<Upstream, "weight">): number {
  if (weight >= 0 && weight <= maxWeight && typeof weight === "number") return weight;
  if (typeof weight !== "number" || Number.isNaN(weight)) return 1;
  return weight < 0 ? 0 : maxWeight;
}

/** The weight in costs of an upstream of weight 0: so small that the upstream is picked only when there is no other. */
export const leastWeight = 1e-6;

/** Properties of the weights of a list. */
export interface ListWeights {
  /** All weights are equal. */
  readonly isEven: boolean;
  readonly mean: number;
}

/** Reads the weights of a list once, for picks that compare each weight with the mean. */
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

/** The factor of a cost by weight: mean weight / weight. Finite for a weight of 0. */
export function costFactor(upstream: Upstream, { isEven, mean }: ListWeights): number {
  return isEven ? 1 : mean / Math.max(weightOf(upstream), leastWeight);
}

/** The weights of a list. */
export function weightsOf(upstreams: readonly Upstream[]): Float64Array {
  const weights = new Float64Array(upstreams.length);
  for (let index = 0; index < weights.length; index++) weights[index] = weightOf(upstreams[index] as Upstream);
  return weights;
}

/** The weights of a list for hashing; 1 each when all are 0, so that keys still have owners. */
export function hashWeights(upstreams: readonly Upstream[]): Float64Array {
  const weights = weightsOf(upstreams);
  return weights.every((weight) => weight === 0) ? weights.fill(1) : weights;
}
