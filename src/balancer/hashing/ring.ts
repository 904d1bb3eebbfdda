import { type Hash64, xxh64 } from "../../core/hashing/xxh64.ts";
import type { Upstream } from "../../core/upstream.ts";
import { indexesAt, placesIn } from "../lists/places.ts";
import { hashWeights } from "../lists/weights.ts";
import type { Circle, Ring } from "./consistent-hash.ts";

/** Options of the number of points on a ring. */
export interface RingSize {
  readonly virtualNodes: number;
  readonly minRingSize: number;
  readonly maxRingSize: number;
}

/** Points in the order of their hashes, as parallel arrays. */
interface Points {
  /** Upper and lower halves of the hashes. */
  readonly highs: Uint32Array;
  readonly lows: Uint32Array;
  readonly owners: Uint32Array;
  /** The number of each point among those of its owner, from 0. */
  readonly numbers: Uint32Array;
}

/** A ring with the data from which the ring of the next list is made. */
export interface PointCircle extends Circle, Points {
  readonly owners: Uint32Array;
  /** The number of points of each member, and the hash of its first one, whose lower half decides about a fraction of a point. */
  readonly counts: Uint32Array;
  readonly firstHighs: Uint32Array;
  readonly firstLows: Uint32Array;
}

/**
 * The ring of a list, made from the ring of the list before where there is one: when one of ten thousand instances leaves, its points
 * are removed and only the few points that others gain are hashed.
 */
export function ringOf(upstreams: readonly Upstream[], size: RingSize, before: Ring<PointCircle> | undefined): PointCircle {
  const places = placesIn(before?.members ?? [], upstreams);
  const firsts = firstsOf(upstreams, places, before?.circle);
  const counts = countsOf(hashWeights(upstreams), firsts.firstLows, size);
  const added = sorted(newPoints(upstreams, { counts, ...firsts }, places, before?.circle));
  const points = before === undefined ? added : merged(keptPoints(before, counts, places), added);
  return { ...points, ...lookUp(points), counts, ...firsts, shares: () => sharesOf(points, upstreams.length) };
}

type Firsts = Pick<PointCircle, "firstHighs" | "firstLows">;

/** The first point of each member. */
function firstsOf(upstreams: readonly Upstream[], places: Int32Array, before: PointCircle | undefined): Firsts {
  const firstHighs = new Uint32Array(upstreams.length);
  const firstLows = new Uint32Array(upstreams.length);
  for (let index = 0; index < upstreams.length; index++) {
    const place = places[index] as number;
    if (before !== undefined && place >= 0) {
      firstHighs[index] = before.firstHighs[place] as number;
      firstLows[index] = before.firstLows[place] as number;
    } else {
      const { high, low } = xxh64(`${(upstreams[index] as Upstream).id}_0`);
      firstHighs[index] = high;
      firstLows[index] = low;
    }
  }
  return { firstHighs, firstLows };
}

function countsOf(weights: Float64Array, firstLows: Uint32Array, { virtualNodes, minRingSize, maxRingSize }: RingSize): Uint32Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const lowest = weights.reduce((least, weight) => (weight > 0 ? Math.min(least, weight) : least), Number.POSITIVE_INFINITY);
  const wanted = Math.max(virtualNodes, Math.ceil((minRingSize * lowest) / total)) / lowest;
  const perWeight = Math.min(wanted, maxRingSize / total);
  const counts = new Uint32Array(weights.length);
  for (let index = 0; index < counts.length; index++) {
    const weight = weights[index] as number;
    // A fraction of a point is a whole point for some members and none for others, always the same ones: as the share per member
    // shrinks, they lose it one by one.
    if (weight > 0) counts[index] = Math.max(1, Math.floor(weight * perWeight + (firstLows[index] as number) / 2 ** 32));
  }
  return counts;
}

/** The points that the ring before does not have. */
function newPoints(
  upstreams: readonly Upstream[],
  { counts, firstHighs, firstLows }: Firsts & Pick<PointCircle, "counts">,
  places: Int32Array,
  before: PointCircle | undefined,
): Points {
  const known = places.map((place) => (place < 0 || before === undefined ? 0 : (before.counts[place] as number)));
  let size = 0;
  for (let owner = 0; owner < counts.length; owner++) size += Math.max(0, (counts[owner] as number) - (known[owner] as number));
  const points = emptyPoints(size);
  let at = 0;
  for (let owner = 0; owner < counts.length; owner++) {
    const count = counts[owner] as number;
    const start = `${(upstreams[owner] as Upstream).id}_`;
    for (let number = known[owner] as number; number < count; number++) {
      const { high, low } = number === 0 ? { high: firstHighs[owner] as number, low: firstLows[owner] as number } : xxh64(start + number);
      points.highs[at] = high;
      points.lows[at] = low;
      points.owners[at] = owner;
      points.numbers[at++] = number;
    }
  }
  return points;
}

/** The points of the ring before that stay. */
function keptPoints({ members, circle }: Ring<PointCircle>, counts: Uint32Array, places: Int32Array): Points {
  const owners = indexesAt(places, members.length);
  const kept = emptyPoints(circle.owners.length);
  let size = 0;
  for (let point = 0; point < circle.owners.length; point++) {
    const owner = owners[circle.owners[point] as number] as number;
    const number = circle.numbers[point] as number;
    if (owner < 0 || number >= (counts[owner] as number)) continue;
    kept.highs[size] = circle.highs[point] as number;
    kept.lows[size] = circle.lows[point] as number;
    kept.owners[size] = owner;
    kept.numbers[size++] = number;
  }
  return {
    highs: kept.highs.subarray(0, size),
    lows: kept.lows.subarray(0, size),
    owners: kept.owners.subarray(0, size),
    numbers: kept.numbers.subarray(0, size),
  };
}

/** Merges two sorted sets of points. */
function merged(one: Points, other: Points): Points {
  const size = one.owners.length + other.owners.length;
  const points = emptyPoints(size);
  let left = 0;
  let right = 0;
  for (let at = 0; at < size; at++) {
    const isRight =
      left === one.owners.length ||
      (right < other.owners.length &&
        isBefore(other.highs[right] as number, other.lows[right] as number, one.highs[left] as number, one.lows[left] as number));
    const from = isRight ? other : one;
    const point = isRight ? right++ : left++;
    points.highs[at] = from.highs[point] as number;
    points.lows[at] = from.lows[point] as number;
    points.owners[at] = from.owners[point] as number;
    points.numbers[at] = from.numbers[point] as number;
  }
  return points;
}

function emptyPoints(size: number): Points {
  return { highs: new Uint32Array(size), lows: new Uint32Array(size), owners: new Uint32Array(size), numbers: new Uint32Array(size) };
}

/** Divides sorted points into buckets of equal leading bits, about one point in each: the index at which each bucket begins. */
function bucketsOf(highs: Uint32Array): { readonly starts: Uint32Array; readonly shift: number } {
  const bits = Math.max(1, Math.ceil(Math.log2(highs.length + 1)));
  const shift = 32 - bits;
  const starts = new Uint32Array(2 ** bits + 1);
  for (const high of highs) starts[(high >>> shift) + 1] = (starts[(high >>> shift) + 1] as number) + 1;
  for (let bucket = 1; bucket < starts.length; bucket++) starts[bucket] = (starts[bucket] as number) + (starts[bucket - 1] as number);
  return { starts, shift };
}

function sorted(unsorted: Points): Points {
  const size = unsorted.owners.length;
  const { starts, shift } = bucketsOf(unsorted.highs);
  const ends = starts.slice();
  const order = new Uint32Array(size);
  for (let point = 0; point < size; point++) {
    const high = unsorted.highs[point] as number;
    const low = unsorted.lows[point] as number;
    const bucket = high >>> shift;
    const start = starts[bucket] as number;
    let at = ends[bucket] as number;
    ends[bucket] = at + 1;
    for (; at > start; at--) {
      const other = order[at - 1] as number;
      if (!isBefore(high, low, unsorted.highs[other] as number, unsorted.lows[other] as number)) break;
      order[at] = other;
    }
    order[at] = point;
  }
  return {
    highs: order.map((point) => unsorted.highs[point] as number),
    lows: order.map((point) => unsorted.lows[point] as number),
    owners: order.map((point) => unsorted.owners[point] as number),
    numbers: order.map((point) => unsorted.numbers[point] as number),
  };
}

function lookUp({ highs, lows }: Points): Pick<Circle, "placeOf"> {
  const { starts, shift } = bucketsOf(highs);
  const size = highs.length;
  return {
    placeOf({ high, low }: Hash64) {
      let at = starts[high >>> shift] as number;
      while (at < size && isBefore(highs[at] as number, lows[at] as number, high, low)) at++;
      return at < size ? at : 0;
    },
  };
}

/** The owner of a point has the arc that ends at it. */
function sharesOf({ highs, owners }: Points, members: number): Float64Array {
  const shares = new Float64Array(members);
  for (let point = 0; point < owners.length; point++) {
    const before = point === 0 ? (highs[owners.length - 1] as number) - 2 ** 32 : (highs[point - 1] as number);
    const owner = owners[point] as number;
    shares[owner] = (shares[owner] as number) + ((highs[point] as number) - before) / 2 ** 32;
  }
  return shares;
}

function isBefore(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high < otherHigh || (high === otherHigh && low < otherLow);
}
