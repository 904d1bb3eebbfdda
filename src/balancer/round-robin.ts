import type { Random } from "../core/clock.ts";
import type { Picker } from "./picker.ts";

/** Options of {@link roundRobin}. */
export interface RoundRobinOptions {
  /** Chooses where to begin, so that many clients that start together do not all begin with the same instance. */
  readonly random?: Random;
}

/** Every candidate in turn, whatever its weight. The default picker. */
export function roundRobin({ random = Math.random }: RoundRobinOptions = {}): Picker {
  let next = Math.floor(random() * 1_000_003);
  return {
    pick(upstreams) {
      if (upstreams.length === 0) return undefined;
      next = (next + 1) % Number.MAX_SAFE_INTEGER;
      return upstreams[next % upstreams.length];
    },
    forService: () => roundRobin({ random }),
  };
}
