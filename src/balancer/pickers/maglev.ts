import { checkInteger, checkKeys } from "../../core/options.ts";
import type { Upstream } from "../../core/upstream.ts";
import { type Circle, type ConsistentHashOptions, checkConsistentHash, consistentHash, type Ring } from "../hashing/consistent-hash.ts";
import { type Hash64, xxh64 } from "../hashing/xxh64.ts";
import { placesIn } from "../lists/per-list.ts";
import type { Picker } from "../picker.ts";
import { hashWeights } from "../weights/weight.ts";

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
  return consistentHash<Table>(options, (upstreams, before) => tableOf(upstreams, tableSize, before));
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}

/** A table that remembers what it was filled by, so that the next one need not hash and sort everybody again. */
interface Table extends Circle {
  /** Where each member begins, and how far its steps are. */
  readonly offsets: Uint32Array;
  readonly steps: Uint32Array;
  /** Indexes of the members by their ids. */
  readonly order: Uint32Array;
}

function tableOf(upstreams: readonly Upstream[], size: number, before: Ring<Table> | undefined): Table {
  const places = before === undefined ? new Int32Array(upstreams.length).fill(-1) : placesIn(before.members, upstreams);
  const offsets = new Uint32Array(upstreams.length);
  const steps = new Uint32Array(upstreams.length);
  for (let index = 0; index < upstreams.length; index++) {
    const { id } = upstreams[index] as Upstream;
    const place = places[index] as number;
    offsets[index] = before === undefined || place < 0 ? remainder(xxh64(id), size) : (before.circle.offsets[place] as number);
    steps[index] = before === undefined || place < 0 ? remainder(xxh64(id, 1), size - 1) + 1 : (before.circle.steps[place] as number);
  }
  // The order decides who gets a slot that two want, and every process must decide alike, however its registry sorts.
  const order = orderOf(upstreams, places, before);
  const owners = ownersOf(hashWeights(upstreams), { offsets, steps, order }, size);
  return { owners, offsets, steps, order, placeOf: (hash) => remainder(hash, size), shares: () => sharesOf(owners, upstreams.length) };
}

function ownersOf(
  allWeights: Float64Array,
  { offsets, steps: allSteps, order: everybody }: Pick<Table, "offsets" | "steps" | "order">,
  size: number,
): ArrayLike<number> {
  const order = everybody.filter((index) => (allWeights[index] as number) > 0);
  const count = order.length;
  if (count === 0) return [];
  const slots = order.map((index) => offsets[index] as number);
  const steps = order.map((index) => allSteps[index] as number);
  const weights = Float64Array.from(order, (index) => allWeights[index] as number);
  const highest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const targets = new Float64Array(count);
  const free = allWeights.length;
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

/** The members by their ids: who has stayed is in order already, and the few that are new are sorted in. */
function orderOf(upstreams: readonly Upstream[], places: Int32Array, before: Ring<Table> | undefined): Uint32Array {
  const idAt = (index: number) => (upstreams[index] as Upstream).id;
  const newcomers: number[] = [];
  for (let index = 0; index < places.length; index++) if ((places[index] as number) < 0) newcomers.push(index);
  newcomers.sort((one, other) => (idAt(one) < idAt(other) ? -1 : 1));
  if (before === undefined) return Uint32Array.from(newcomers);
  const indexes = new Int32Array(before.members.length).fill(-1);
  for (let index = 0; index < places.length; index++) if ((places[index] as number) >= 0) indexes[places[index] as number] = index;
  const order = new Uint32Array(upstreams.length);
  let size = 0;
  let next = 0;
  for (const place of before.circle.order) {
    const index = indexes[place] as number;
    if (index < 0) continue;
    for (; next < newcomers.length && idAt(newcomers[next] as number) < idAt(index); next++) order[size++] = newcomers[next] as number;
    order[size++] = index;
  }
  for (; next < newcomers.length; next++) order[size++] = newcomers[next] as number;
  return order;
}

function sharesOf(owners: ArrayLike<number>, members: number): Float64Array {
  const shares = new Float64Array(members);
  for (let slot = 0; slot < owners.length; slot++) {
    const owner = owners[slot] as number;
    shares[owner] = (shares[owner] as number) + 1 / owners.length;
  }
  return shares;
}

/** Of numbers of 64 bits by one of up to 23: every product stays exact. */
function remainder({ high, low }: Hash64, divisor: number): number {
  return ((high % divisor) * (2 ** 32 % divisor) + low) % divisor;
}
