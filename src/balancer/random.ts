import type { Random } from "../core/clock.ts";
import type { Upstream } from "../core/upstream.ts";
import type { Picker } from "./picker.ts";

/** Options of {@link random}. */
export interface RandomOptions {
  /** Source of the random numbers; a seeded one makes the sequence repeatable. */
  readonly random?: Random;
}

/** A candidate at random: each with the same chance, or in proportion to the weights when they differ. */
export function random({ random: nextRandom = Math.random }: RandomOptions = {}): Picker {
  // Running sums of the weights of all `size` candidates; undefined while the weights are equal.
  let cumulative: Float64Array | undefined;
  let size = 0;
  return {
    update(upstreams) {
      cumulative = cumulativeWeights(upstreams);
      size = upstreams.length;
    },
    pick(upstreams) {
      if (upstreams.length === 0) return undefined;
      // A retry picks among a part of the candidates, which has sums of its own.
      const sums = upstreams.length === size ? cumulative : cumulativeWeights(upstreams);
      if (sums === undefined) return upstreams[Math.floor(nextRandom() * upstreams.length)];
      return upstreams[indexAbove(sums, nextRandom() * (sums.at(-1) as number))];
    },
    forService: () => random({ random: nextRandom }),
  };
}

function cumulativeWeights(upstreams: readonly Upstream[]): Float64Array | undefined {
  const first = upstreams[0]?.weight;
  if (upstreams.every((upstream) => upstream.weight === first)) return undefined;
  let sum = 0;
  return Float64Array.from(upstreams, (upstream) => {
    sum += upstream.weight;
    return sum;
  });
}

/** The first index whose running sum is above `target`: an upstream of weight 0 is never it. */
function indexAbove(cumulative: Float64Array, target: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cumulative[middle] as number) > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
