import { type Hash64, xxh64 } from "../../core/hashing/xxh64.ts";
import type { Upstream } from "../../core/upstream.ts";
import { indexesAt, placesIn } from "../lists/places.ts";
import { hashWeights } from "../lists/weights.ts";
import type { Circle, Ring } from "./consistent-hash.ts";
import { Rounds } from "./rounds.ts";

/**
 * The lookup table of Maglev (Eisenbud and others, NSDI 2016, section 3.4). It keeps the permutations that it was filled from, so that
 * the table of the next list need not hash and sort all members again.
 */
export interface MaglevTable extends Circle {
  /** The first slot of each member's permutation, and the step to the next ones. */
  readonly offsets: Uint32Array;
  readonly steps: Uint32Array;
  /** Indexes of the members, sorted by their ids. */
  readonly order: Uint32Array;
}

/**
 * Fills the table of a list.
 * @param size number of slots, a prime
 * @param before the ring of the list that this one replaces
 */
export function maglevTable(upstreams: readonly Upstream[], size: number, before: Ring<MaglevTable> | undefined): MaglevTable {
  const places = placesIn(before?.members ?? [], upstreams);
  const offsets = new Uint32Array(upstreams.length);
  const steps = new Uint32Array(upstreams.length);
  for (let index = 0; index < upstreams.length; index++) {
    const { id } = upstreams[index] as Upstream;
    const place = places[index] as number;
    offsets[index] = before === undefined || place < 0 ? remainder(xxh64(id), size) : (before.circle.offsets[place] as number);
    steps[index] = before === undefined || place < 0 ? remainder(xxh64(id, 1), size - 1) + 1 : (before.circle.steps[place] as number);
  }
  // Of two members that want the same slot, the first in this order gets it, in every process, however its registry sorts.
  const order = orderOf(upstreams, places, before);
  const owners = ownersOf(hashWeights(upstreams), { offsets, steps, order }, size);
  return { owners, offsets, steps, order, placeOf: (hash) => remainder(hash, size), shares: () => sharesOf(owners, upstreams.length) };
}

function ownersOf(
  allWeights: Float64Array,
  { offsets, steps: allSteps, order: allOrder }: Pick<MaglevTable, "offsets" | "steps" | "order">,
  size: number,
): ArrayLike<number> {
  const order = allOrder.filter((index) => (allWeights[index] as number) > 0);
  const count = order.length;
  if (count === 0) return [];
  const slots = order.map((index) => offsets[index] as number);
  const steps = order.map((index) => allSteps[index] as number);
  const weights = Float64Array.from(order, (index) => allWeights[index] as number);
  const free = allWeights.length;
  const owners = (free <= 0xffff ? new Uint16Array(size) : new Uint32Array(size)).fill(free);
  let filled = 0;
  const take = (turn: number) => {
    const step = steps[turn] as number;
    let slot = slots[turn] as number;
    while (owners[slot] !== free) slot = slot + step < size ? slot + step : slot + step - size;
    owners[slot] = order[turn] as number;
    slots[turn] = slot + step < size ? slot + step : slot + step - size;
    filled++;
  };
  const rounds = new Rounds(weights);
  while (filled < size) {
    for (const turn of rounds.next()) {
      if (filled === size) break;
      take(turn);
    }
  }
  return owners;
}

/** Indexes of the members, sorted by their ids. Members of the list before are in order already; the new ones are merged in. */
function orderOf(upstreams: readonly Upstream[], places: Int32Array, before: Ring<MaglevTable> | undefined): Uint32Array {
  const idAt = (index: number) => (upstreams[index] as Upstream).id;
  const newcomers: number[] = [];
  for (let index = 0; index < places.length; index++) if ((places[index] as number) < 0) newcomers.push(index);
  newcomers.sort((one, other) => (idAt(one) < idAt(other) ? -1 : 1));
  if (before === undefined) return Uint32Array.from(newcomers);
  const indexes = indexesAt(places, before.members.length);
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

/** The remainder of a 64-bit number by a divisor of up to 23 bits; every product stays exact. */
function remainder({ high, low }: Hash64, divisor: number): number {
  return ((high % divisor) * (2 ** 32 % divisor) + low) % divisor;
}
