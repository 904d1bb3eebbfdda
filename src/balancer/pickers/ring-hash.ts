import { checkInteger } from "../../core/settings/checks.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { integer } from "../../core/settings/rules.ts";
import { ConsistentHash, type ConsistentHashOptions, consistentHashRules } from "../hashing/consistent-hash.ts";
import { type PointCircle, ringOf } from "../hashing/ring.ts";
import type { Picker } from "../picker.ts";
import { settlePicker } from "../picker-options.ts";

/** Options of {@link ringHash}. */
export interface RingHashOptions extends ConsistentHashOptions {
  /** Points on the ring for the instance of the lowest weight, 1 to 8388608; others have more in proportion to theirs. @default 160 */
  readonly virtualNodes?: number;
  /** Least number of points of all instances together, 1 to `maxRingSize`. @default 1 */
  readonly minRingSize?: number;
  /** Largest number of points of all instances together, 1 to 8388608; each instance has one in any case. @default 32768 */
  readonly maxRingSize?: number;
}

const mostPoints = 8_388_608;

/** The rules of {@link RingHashOptions}. */
export const ringHashOptions = optionTable<RingHashOptions>()({
  virtualNodes: integer({ default: 160, min: 1, max: mostPoints }),
  minRingSize: integer({ default: 1, min: 1, max: mostPoints }),
  maxRingSize: integer({ default: 32_768, min: 1, max: mostPoints }),
  ...consistentHashRules,
});

/**
 * Requests with the same key go to the same instance, in every process that sees the same instances. When one of n instances leaves or
 * joins, about 1/n of the keys move. A ring like ketama's and Envoy's: the points of an instance are XXH64 of `id_0`, `id_1`, …, and a
 * key belongs to the owner of the first point at or after its own hash.
 * @throws TypeError or RangeError naming the option and the value
 */
export function ringHash(options: RingHashOptions = {}): Picker {
  const settings = settlePicker("ringHash", ringHashOptions, options);
  checkInteger("ringHash: minRingSize", settings.minRingSize, 1, settings.maxRingSize);
  return new ConsistentHash<PointCircle>(settings, (upstreams, before) => ringOf(upstreams, settings, before));
}
