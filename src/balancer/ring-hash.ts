import { checkInteger, checkKeys } from "../core/options.ts";
import type { Upstream } from "../core/upstream.ts";
import { type Circle, type ConsistentHashOptions, checkConsistentHash, consistentHash } from "./consistent-hash.ts";
import type { Picker } from "./picker.ts";
import { type Hash64, xxh64 } from "./xxh64.ts";

/** Options of {@link ringHash}. */
export interface RingHashOptions extends ConsistentHashOptions {
  /** Points on the ring of the instance with the lowest weight; others have as many more as their weight. @default 160 */
  readonly virtualNodes?: number;
  /** More points than `virtualNodes` gives, where that makes fewer than this. @default 1 */
  readonly minRingSize?: number;
  /** The instances share so many points when they would have more; each has one in any case. @default 32_768 */
  readonly maxRingSize?: number;
}

const optionKeys = ["virtualNodes", "minRingSize", "maxRingSize", "hashKey", "balanceFactor", "random"];
const mostPoints = 8_388_608;

/**
 * Requests with the same key go to the same instance, in every process that sees the same instances, and when one of n
 * leaves or joins about 1/n of the keys move. A ring like ketama's and Envoy's: the points of an instance are XXH64 of
 * `id_0`, `id_1`, …, and a key belongs to the first point at or after its own hash.
 * @throws TypeError or RangeError for a wrong option
 */
export function ringHash(options: RingHashOptions = {}): Picker {
  const { virtualNodes = 160, minRingSize = 1, maxRingSize = 32_768 } = options;
  checkKeys("ringHash", options, optionKeys);
  checkInteger("ringHash: virtualNodes", virtualNodes, 1, mostPoints);
  checkInteger("ringHash: maxRingSize", maxRingSize, 1, mostPoints);
  checkInteger("ringHash: minRingSize", minRingSize, 1, maxRingSize);
  checkConsistentHash("ringHash", options);
  return consistentHash(options, (upstreams) => ringOf(upstreams, { virtualNodes, minRingSize, maxRingSize }));
}

type Size = Required<Pick<RingHashOptions, "virtualNodes" | "minRingSize" | "maxRingSize">>;

function ringOf(upstreams: readonly Upstream[], size: Size): Circle {
  const points = pointsOf(upstreams, size);
  return sorted(points.highs, points.lows, points.owners);
}

function pointsOf(upstreams: readonly Upstream[], { virtualNodes, minRingSize, maxRingSize }: Size) {
  const isWeightless = upstreams.every(({ weight }) => weight === 0);
  const weights = upstreams.map(({ weight }) => (isWeightless ? 1 : weight));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const lowest = weights.reduce((least, weight) => (weight > 0 ? Math.min(least, weight) : least), Number.POSITIVE_INFINITY);
  const wanted = Math.max(virtualNodes, Math.ceil((minRingSize * lowest) / total)) / lowest;
  const perWeight = Math.min(wanted, maxRingSize / total);
  const highs: number[] = [];
  const lows: number[] = [];
  const owners: number[] = [];
  for (const [owner, { id }] of upstreams.entries()) {
    const weight = weights[owner] as number;
    if (weight === 0) continue;
    const first = xxh64(`${id}_0`);
    // A part of a point is one for some and none for others, always the same: as the share shrinks, they lose it one by one.
    const count = Math.max(1, Math.floor(weight * perWeight + first.low / 2 ** 32));
    for (let point = 0; point < count; point++) {
      const { high, low } = point === 0 ? first : xxh64(`${id}_${point}`);
      highs.push(high);
      lows.push(low);
      owners.push(owner);
    }
  }
  return { highs, lows, owners };
}

/** Sorts by buckets of equal leading bits, about one point in each, which then also answer where a key falls. */
function sorted(unsortedHighs: readonly number[], unsortedLows: readonly number[], unsortedOwners: readonly number[]): Circle {
  const size = unsortedHighs.length;
  const bits = Math.max(1, Math.ceil(Math.log2(size + 1)));
  const shift = 32 - bits;
  const starts = new Uint32Array(2 ** bits + 1);
  for (const high of unsortedHighs) starts[(high >>> shift) + 1] = (starts[(high >>> shift) + 1] as number) + 1;
  for (let bucket = 1; bucket < starts.length; bucket++) starts[bucket] = (starts[bucket] as number) + (starts[bucket - 1] as number);
  const ends = starts.slice();
  const highs = new Uint32Array(size);
  const lows = new Uint32Array(size);
  const owners = new Uint32Array(size);
  for (let point = 0; point < size; point++) {
    const high = unsortedHighs[point] as number;
    const low = unsortedLows[point] as number;
    const bucket = high >>> shift;
    const start = starts[bucket] as number;
    let at = ends[bucket] as number;
    ends[bucket] = at + 1;
    for (; at > start && isBefore(high, low, highs[at - 1] as number, lows[at - 1] as number); at--) {
      highs[at] = highs[at - 1] as number;
      lows[at] = lows[at - 1] as number;
      owners[at] = owners[at - 1] as number;
    }
    highs[at] = high;
    lows[at] = low;
    owners[at] = unsortedOwners[point] as number;
  }
  return {
    owners,
    placeOf({ high, low }: Hash64) {
      let at = starts[high >>> shift] as number;
      while (at < size && isBefore(highs[at] as number, lows[at] as number, high, low)) at++;
      return at < size ? at : 0;
    },
  };
}

function isBefore(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high < otherHigh || (high === otherHigh && low < otherLow);
}
