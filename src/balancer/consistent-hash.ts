import type { Random } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { checkFunction, checkNumber } from "../core/options.ts";
import type { Upstream } from "../core/upstream.ts";
import { BoundedLoad } from "./bounded-load.ts";
import type { HashKey } from "./hash-key.ts";
import type { Picker } from "./picker.ts";
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
}

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
export function consistentHash(options: ConsistentHashOptions, build: (upstreams: readonly Upstream[]) => Circle): Picker {
  const { hashKey, balanceFactor, random = Math.random } = options;
  let members: readonly Upstream[] = [];
  let circle: Circle | undefined;
  let bounds: BoundedLoad | undefined;

  const hashOf = (request: MeshRequest): Hash64 => {
    const key = request.options.hashKey ?? (hashKey && keyBy(hashKey, request));
    if (key === undefined) return { high: Math.floor(random() * 2 ** 32), low: Math.floor(random() * 2 ** 32) };
    return xxh64(key);
  };

  return {
    update(upstreams) {
      members = [...upstreams];
      circle = undefined;
    },
    pick(upstreams, request) {
      if (upstreams.length === 0) return undefined;
      if (circle === undefined) {
        circle = build(members);
        bounds = balanceFactor === undefined ? undefined : new BoundedLoad(balanceFactor, members);
      }
      bounds?.refresh();
      const { owners } = circle;
      const hash = hashOf(request);
      const place = circle.placeOf(hash);
      let spare: Upstream | undefined;
      for (let step = 0, last = -1; step < owners.length; step++) {
        const at = place + step;
        const index = owners[at < owners.length ? at : at - owners.length] as number;
        if (index === last) continue;
        last = index;
        const upstream = members[index] as Upstream;
        // A retry picks among a part of the members; in all of them each is at its index.
        if (upstreams[index] !== upstream && !upstreams.includes(upstream)) continue;
        if (bounds === undefined || bounds.hasRoom(index)) return upstream;
        spare ??= upstream;
      }
      return spare ?? upstreams[hash.low % upstreams.length];
    },
    forService: (_service, context) => consistentHash({ ...options, random: options.random ?? context?.random ?? random }, build),
  };
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
