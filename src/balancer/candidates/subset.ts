import type { Random } from "../../core/clock.ts";
import { xxh64 } from "../../core/hashing/xxh64.ts";
import type { Upstream } from "../../core/upstream.ts";
import { apertureOf } from "./aperture.ts";
import { type Level, placeOf } from "./levels.ts";
import type { ClientPosition, SubsetOptions } from "./subset-options.ts";

/** An upstream and its place in the order. */
interface Ranked {
  readonly upstream: Upstream;
  /** The hash of id and seed, from 0 to below 1. */
  readonly rank: number;
  priority: number;
  /** The rank, plus 1 for an upstream of weight 0: it comes last, since it serves only in the absence of others. */
  place: number;
}

/**
 * The instances that this process uses of each priority. Without `client`, those with the lowest hashes of id and seed (gRFC A68): an
 * instance that joins or leaves changes at most one of them. With `client`, a deterministic aperture.
 *
 * When fewer than half of them are available, the next ones in the order join until `size` are.
 */
export class Subset {
  readonly #size: number;
  readonly #seed: number;
  readonly #client: ClientPosition | undefined;
  #ranked: Ranked[] = [];
  #isSorted = true;

  constructor({ size, seed, client }: SubsetOptions, random: Random) {
    this.#size = size;
    this.#client = client;
    // The order of an aperture must be the same for all clients.
    this.#seed = seed ?? (client === undefined ? Math.floor(random() * 2 ** 32) : 0);
  }

  /** Adds a new upstream. Removed ones are left out by the next sorting. */
  add(upstream: Upstream): void {
    const { high, low } = xxh64(upstream.id, this.#seed);
    this.#ranked.push({ upstream, rank: (high + low / 2 ** 32) / 2 ** 32, priority: 0, place: 0 });
    this.#isSorted = false;
  }

  /** To be called when upstreams have left, have new priorities or weights, or have become a last resort. */
  refresh(): void {
    this.#isSorted = false;
  }

  /**
   * The priorities, the preferred one first, with the members in use.
   * @param has whether an upstream is of the part that they are chosen from. @default all
   */
  levels(has?: (upstream: Upstream) => boolean): readonly Level[] {
    this.#sort();
    const levels: Level[] = [];
    const ranked = has === undefined ? this.#ranked : this.#ranked.filter(({ upstream }) => has(upstream));
    for (let start = 0, end = 0; start < ranked.length; start = end) {
      const { priority } = ranked[start] as Ranked;
      while (ranked[end]?.priority === priority) end++;
      levels.push({ priority, ...this.#chosen(ranked.slice(start, end).map(({ upstream }) => upstream)) });
    }
    return levels;
  }

  #sort(): void {
    if (this.#isSorted) return;
    this.#ranked = this.#ranked.filter(({ upstream }) => !upstream.removed);
    // Read once, not with every comparison.
    for (const each of this.#ranked) {
      each.priority = placeOf(each.upstream);
      each.place = each.upstream.weight === 0 ? each.rank + 1 : each.rank;
    }
    // Nearly sorted already, which costs one pass.
    this.#ranked.sort(inOrder);
    this.#isSorted = true;
  }

  #chosen(all: readonly Upstream[]): Pick<Level, "members" | "parts"> {
    if (all.length <= this.#size) return { members: all };
    if (this.#client === undefined) return { members: this.#widened(all, this.#size) };
    const hasWeights = all.some(({ weight }) => weight > 0);
    const aperture = apertureOf(
      all.map(({ weight }) => (hasWeights ? weight : 1)),
      this.#size,
      this.#client,
    );
    const fromFirst = [...all.slice(aperture.first), ...all.slice(0, aperture.first)];
    // An instance of weight 0 has no width on the ring: it comes last.
    const order = hasWeights
      ? [...fromFirst.filter(({ weight }) => weight > 0), ...fromFirst.filter(({ weight }) => weight === 0)]
      : fromFirst;
    const members = this.#widened(order, aperture.parts.length);
    if (members.length > aperture.parts.length) return { members };
    const parts = new Map<Upstream, number>();
    for (const [index, part] of aperture.parts.entries()) if (part < 1) parts.set(order[index] as Upstream, part);
    return { members, parts };
  }

  /** The first `count` of the order, and more when too few of them are available. */
  #widened(order: readonly Upstream[], count: number): readonly Upstream[] {
    const members = order.slice(0, count);
    let available = members.reduce((sum, upstream) => (upstream.state === "available" ? sum + 1 : sum), 0);
    if (2 * available >= count) return members;
    for (let index = count; index < order.length && available < this.#size; index++) {
      const upstream = order[index] as Upstream;
      if (upstream.state !== "available") continue;
      members.push(upstream);
      available++;
    }
    return members;
  }
}

function inOrder(one: Ranked, other: Ranked): number {
  return one.priority - other.priority || one.place - other.place || (one.upstream.id < other.upstream.id ? -1 : 1);
}
