import { checkInteger, checkKeys } from "../core/options.ts";
import type { Upstream } from "../core/upstream.ts";
import { type Circle, type ConsistentHashOptions, checkConsistentHash, consistentHash } from "./consistent-hash.ts";
import type { Picker } from "./picker.ts";
import { type Hash64, xxh64 } from "./xxh64.ts";

/** Options of {@link maglev}. */
export interface MaglevOptions extends ConsistentHashOptions {
  /** Slots of the table: a prime number, at least a hundred times the number of instances for shares within 1 %. @default 65_537 */
  readonly tableSize?: number;
}

const optionKeys = ["tableSize", "hashKey", "balanceFactor", "random"];

/**
 * Requests with the same key go to the same instance, in every process that sees the same instances. The shares are as even
 * as the slots of a table can be; when one of n instances leaves or joins, about 1/n of the keys move and a few more.
 * The table of Maglev (Eisenbud and others, NSDI 2016, section 3.4), with Envoy's hashes and weights, by the ids.
 * @throws TypeError or RangeError for a wrong option
 */
export function maglev(options: MaglevOptions = {}): Picker {
  const { tableSize = 65_537 } = options;
  checkKeys("maglev", options, optionKeys);
  checkInteger("maglev: tableSize", tableSize, 2, 5_000_011);
  // Only a step that has no divisor in common with the size comes by every slot.
  if (!isPrime(tableSize)) throw new RangeError(`maglev: tableSize must be a prime number, not ${tableSize}`);
  checkConsistentHash("maglev", options);
  return consistentHash(options, (upstreams) => tableOf(upstreams, tableSize));
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}

function tableOf(upstreams: readonly Upstream[], size: number): Circle {
  return {
    owners: ownersOf(upstreams, size),
    placeOf: (hash) => remainder(hash, size),
  };
}

function ownersOf(upstreams: readonly Upstream[], size: number): ArrayLike<number> {
  const isWeightless = upstreams.every(({ weight }) => weight === 0);
  const weightOf = (index: number) => (isWeightless ? 1 : (upstreams[index] as Upstream).weight);
  // The order decides who gets a slot that two want, and every process must decide alike, however its registry sorts.
  const order = byId(upstreams).filter((index) => weightOf(index) > 0);
  if (order.length === 0) return [];
  const count = order.length;
  const slots = new Uint32Array(count);
  const steps = new Uint32Array(count);
  const weights = new Float64Array(count);
  for (const [turn, index] of order.entries()) {
    const { id } = upstreams[index] as Upstream;
    slots[turn] = remainder(xxh64(id), size);
    steps[turn] = remainder(xxh64(id, 1), size - 1) + 1;
    weights[turn] = weightOf(index);
  }
  const highest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const targets = new Float64Array(count);
  const free = upstreams.length;
  const owners = (free <= 0xffff ? new Uint16Array(size) : new Uint32Array(size)).fill(free);
  for (let filled = 0, round = 1; filled < size; round++) {
    for (let turn = 0; turn < count && filled < size; turn++) {
      // The heaviest takes a slot in each round, one of half its weight in every second.
      if (round * (weights[turn] as number) < (targets[turn] as number)) continue;
      targets[turn] = (targets[turn] as number) + highest;
      const step = steps[turn] as number;
      let slot = slots[turn] as number;
      while (owners[slot] !== free) slot = slot + step < size ? slot + step : slot + step - size;
      owners[slot] = order[turn] as number;
      slots[turn] = slot + step < size ? slot + step : slot + step - size;
      filled++;
    }
  }
  return owners;
}

function byId(upstreams: readonly Upstream[]): readonly number[] {
  const idAt = (index: number) => (upstreams[index] as Upstream).id;
  return [...upstreams.keys()].sort((one, other) => (idAt(one) < idAt(other) ? -1 : 1));
}

/** Of numbers of 64 bits by one of up to 23: every product stays exact. */
function remainder({ high, low }: Hash64, divisor: number): number {
  return ((high % divisor) * (2 ** 32 % divisor) + low) % divisor;
}
