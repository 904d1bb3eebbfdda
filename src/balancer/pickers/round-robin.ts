import type { Random } from "../../core/clock.ts";
import { checkFunction, checkKeys } from "../../core/options.ts";
import { PerList } from "../lists/per-list.ts";
import type { Picker } from "../picker.ts";

/** Options of {@link roundRobin}. */
export interface RoundRobinOptions {
  /** Chooses where to begin, so that many clients that start together do not all begin with the same instance. @default the mesh's */
  readonly random?: Random;
}

/** Where a list's turn is. */
interface Turn {
  last: number;
}

/** So that the number stays a small integer, which is counted without allocating. */
const mask = 0x3fff_ffff;

/**
 * Every candidate in turn, whatever its weight.
 * @throws TypeError naming the option and the value.
 */
export function roundRobin(options: RoundRobinOptions = {}): Picker {
  const { random = Math.random } = options;
  checkKeys("roundRobin", options, ["random"]);
  checkFunction("roundRobin: random", random);
  const begin = (): Turn => ({ last: Math.floor(random() * 1_000_003) & mask });
  const turns = new PerList<Turn>((_list, before) => (before === undefined ? begin() : { last: before.last }));
  // A retry picks among a part of a list, which has no turn of its own, and must not take one from the list.
  const ofParts = begin();
  return {
    update: (upstreams) => turns.announce(upstreams),
    pick(upstreams) {
      if (upstreams.length === 0) return undefined;
      const turn = turns.of(upstreams) ?? ofParts;
      turn.last = (turn.last + 1) & mask;
      return upstreams[turn.last % upstreams.length];
    },
    forService: (_service, context) => roundRobin({ random: options.random ?? context?.random ?? random }),
  };
}
