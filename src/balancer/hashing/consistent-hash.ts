import type { Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { checkFunction, checkNumber } from "../../core/options.ts";
import type { Upstream } from "../../core/upstream.ts";
import { drawIndex } from "../lists/draw.ts";
import { PerList } from "../lists/per-list.ts";
import type { Picker } from "../picker.ts";
import { BoundedLoad } from "./bounded-load.ts";
import type { HashKey } from "./hash-key.ts";
import { type Hash64, xxh64 } from "./xxh64.ts";

/** Options that all pickers that hash have. */
export interface ConsistentHashOptions {
  /** The key of a request that says none itself (`init.mesh.hashKey`). A request without a key goes anywhere. */
  readonly hashKey?: HashKey;
  /** Nobody gets more than this percentage of the average in flight, 100 or more: 125 = 1.25 times. @default no bound */
  readonly balanceFactor?: number;
  /** Spreads the requests without a key. @default the mesh's */
  readonly random?: Random;
}

/** Places on a circle, each the property of one upstream. */
export interface Circle {
  /** The owner of each place, in order, by its index in the list that the circle was built from. */
  readonly owners: ArrayLike<number>;
  /** The place where a hash falls. */
  placeOf(hash: Hash64): number;
  /** The part of all hashes that falls to each owner, from 0 to 1, by index. */
  shares(): Float64Array;
}

/** A list and the circle that was built from it. */
export interface Ring<C extends Circle> {
  readonly members: readonly Upstream[];
  readonly circle: C;
  readonly bounds: BoundedLoad | undefined;
  /** Reckoned up when somebody asks. */
  shares: ReadonlyMap<Upstream, number> | undefined;
}

/** Builds a circle, out of the one of the list that this one has come from where it is like it. */
export type BuildCircle<C extends Circle> = (upstreams: readonly Upstream[], before: Ring<C> | undefined) => C;

/** Another hash than that which finds a place: the keys of one list must not all fall into one part of its circle. */
const chanceSeed = 0x6c697374;

/** @throws TypeError or RangeError that begins with the picker's name */
export function checkConsistentHash(picker: string, { hashKey, balanceFactor, random }: ConsistentHashOptions): void {
  checkFunction(`${picker}: hashKey`, hashKey);
  checkNumber(`${picker}: balanceFactor`, balanceFactor, 100);
  checkFunction(`${picker}: random`, random);
}

/**
 * A picker that gives each request to the owner of the place where its key falls, or to the next owner on the circle when
 * that one may not be picked. The circle is built by the first pick after a change, so that changes in a burst cost one.
 */
export function consistentHash<C extends Circle>(options: ConsistentHashOptions, build: BuildCircle<C>): Picker {
  const { hashKey, balanceFactor, random = Math.random } = options;
  const rings = new PerList<Ring<C>>((list, before) => {
    const members = [...list];
    const bounds = balanceFactor === undefined ? undefined : new BoundedLoad(balanceFactor, members);
    return { members, circle: build(members, before), bounds, shares: undefined };
  });
  const keyOf = (request: MeshRequest) => request.options.hashKey ?? (hashKey && keyBy(hashKey, request));
  const hashOf = (request: MeshRequest): Hash64 => {
    const key = keyOf(request);
    if (key === undefined) return { high: drawIndex(random, 2 ** 32), low: drawIndex(random, 2 ** 32) };
    return xxh64(key);
  };

  return {
    update: (upstreams) => rings.announce(upstreams),
    pick(upstreams, request) {
      if (upstreams.length === 0) return undefined;
      const hash = hashOf(request);
      const known = rings.of(upstreams);
      const ring = known ?? ringOfPart(rings, upstreams);
      if (ring === undefined) return upstreams[hash.low % upstreams.length];
      const { members, circle, bounds } = ring;
      bounds?.refresh();
      const { owners } = circle;
      const place = circle.placeOf(hash);
      let spare: Upstream | undefined;
      for (let step = 0, last = -1; step < owners.length; step++) {
        const at = place + step;
        const index = owners[at < owners.length ? at : at - owners.length] as number;
        if (index === last) continue;
        last = index;
        const upstream = members[index] as Upstream;
        if (known === undefined && !upstreams.includes(upstream)) continue;
        if (bounds === undefined || bounds.hasRoom(index)) return upstream;
        spare ??= upstream;
      }
      return spare ?? upstreams[hash.low % upstreams.length];
    },
    chanceOf(request) {
      const key = keyOf(request);
      return key === undefined ? undefined : xxh64(key, chanceSeed).high / 2 ** 32;
    },
    explain(upstream) {
      for (const ring of rings.states()) {
        ring.shares ??= sharesOf(ring);
        const share = ring.shares.get(upstream);
        if (share !== undefined) return { share };
      }
      return {};
    },
    forService: (_service, context) => consistentHash({ ...options, random: options.random ?? context?.random ?? random }, build),
  };
}

/** A retry picks among a part of a list: it goes to the next owner on the circle of the whole. */
function ringOfPart<C extends Circle>(rings: PerList<Ring<C>>, part: readonly Upstream[]): Ring<C> | undefined {
  const [first] = part;
  for (const ring of rings.states()) if (first !== undefined && ring.members.includes(first)) return ring;
  return undefined;
}

function sharesOf<C extends Circle>({ members, circle }: Ring<C>): ReadonlyMap<Upstream, number> {
  const shares = circle.shares();
  return new Map(members.map((upstream, index) => [upstream, shares[index] ?? 0]));
}

/** A picker must not throw: where the user's function does, or returns what is no text, the request has no key. */
function keyBy(hashKey: HashKey, request: MeshRequest): string | undefined {
  try {
    const key: unknown = hashKey(request);
    return typeof key === "string" ? key : undefined;
  } catch {
    return undefined;
  }
}
