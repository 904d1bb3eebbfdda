import type { Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { type Hash64, xxh64 } from "../../core/hashing/xxh64.ts";
import { checkFunction } from "../../core/settings/checks.ts";
import type { Settled } from "../../core/settings/option-table.ts";
import { custom, number } from "../../core/settings/rules.ts";
import type { Upstream } from "../../core/upstream.ts";
import { drawIndex } from "../lists/draw.ts";
import { PerList } from "../lists/per-list.ts";
import type { PickAccount, Picker, PickerContext, PickerView } from "../picker.ts";
import { randomRule, sourcesOf } from "../picker-options.ts";
import { BoundedLoad } from "./bounded-load.ts";
import type { HashKey } from "./hash-key.ts";

/** Options of the pickers that hash. */
export interface ConsistentHashOptions {
  /**
   * Key of a request whose `init.mesh.hashKey` is not set. A request without a key goes to any instance, as it does where the
   * function throws or returns something other than a string. @default no key
   */
  readonly hashKey?: HashKey;
  /**
   * The most requests in flight that one instance gets, as a percentage of the average by weight, 100 or more: 125 = 1.25 times
   * (consistent hashing with bounded loads, Mirrokni and others 2017). @default no bound
   */
  readonly balanceFactor?: number;
  /** Source of the random numbers for requests without a key. @default the mesh's */
  readonly random?: Random;
}

/** The rules of {@link ConsistentHashOptions}. */
export const consistentHashRules = {
  hashKey: custom<HashKey | undefined>({
    type: "(request) => string | undefined",
    named: "hashKey",
    default: undefined,
    check: checkFunction,
  }),
  balanceFactor: number({ defaultText: "no bound", min: 100, unit: "%" }),
  random: randomRule,
};

/** {@link ConsistentHashOptions} with the defaults filled in. */
export type ConsistentHashSettings = Settled<typeof consistentHashRules>;

/** Places on a circle, each owned by one upstream. */
export interface Circle {
  /** The owner of each place, in order, by its index in the list that the circle was built from. */
  readonly owners: ArrayLike<number>;
  /** The place that a hash falls on. */
  placeOf(hash: Hash64): number;
  /** The part of all hashes that each owner has, from 0 to 1, by index. */
  shares(): Float64Array;
}

/** A list and the circle that was built from it. */
export interface Ring<C extends Circle> {
  readonly members: readonly Upstream[];
  readonly circle: C;
  readonly bounds: BoundedLoad | undefined;
  /** Computed by the first {@link Picker.explain}. */
  shares: ReadonlyMap<Upstream, number> | undefined;
}

/** Builds the circle of a list, from that of the list which it replaces where there is one. */
export type BuildCircle<C extends Circle> = (upstreams: readonly Upstream[], before: Ring<C> | undefined) => C;

/** Seed of the hash that chooses a list, different from that of a place: the keys of one list must not share a part of its circle. */
const chanceSeed = 0x6c697374;

/**
 * A picker that gives each request to the owner of the place that its key falls on, or to the next owner on the circle when that one
 * is not a candidate. The circle is built by the first pick after a change: changes in a burst cost one.
 */
export class ConsistentHash<C extends Circle> implements Picker {
  readonly #settings: ConsistentHashSettings;
  readonly #build: BuildCircle<C>;
  readonly #random: Random;
  readonly #rings: PerList<Ring<C>>;

  constructor(settings: ConsistentHashSettings, build: BuildCircle<C>, context?: PickerContext) {
    const { balanceFactor } = settings;
    this.#settings = settings;
    this.#build = build;
    this.#random = sourcesOf(settings, context).random;
    this.#rings = new PerList((list, before) => {
      const members = [...list];
      const bounds = balanceFactor === undefined ? undefined : new BoundedLoad(balanceFactor, members);
      return { members, circle: build(members, before), bounds, shares: undefined };
    });
  }

  // The methods of Picker are own properties, so that a picker may be spread into another one.

  readonly update = (upstreams: readonly Upstream[]): void => {
    this.#rings.announce(upstreams);
  };

  readonly pick = (upstreams: readonly Upstream[], request: MeshRequest): Upstream | undefined => {
    if (upstreams.length === 0) return undefined;
    const hash = this.#hashOf(request);
    const known = this.#rings.of(upstreams);
    const ring = known ?? this.#ringAround(upstreams);
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
  };

  readonly chanceOf = (request: MeshRequest): number | undefined => {
    const key = this.#keyOf(request);
    return key === undefined ? undefined : xxh64(key, chanceSeed).high / 2 ** 32;
  };

  readonly explain = (upstream: Upstream): PickerView => {
    for (const ring of this.#rings.states()) {
      ring.shares ??= sharesOf(ring);
      const share = ring.shares.get(upstream);
      if (share !== undefined) return { share, meant: share };
    }
    return {};
  };

  readonly explainPick = (_upstreams: readonly Upstream[], request: MeshRequest): PickAccount => {
    if (this.#keyOf(request) === undefined) return { reason: "the request has no key: at random" };
    return { reason: "the owner of the key's place, or the next one that is a candidate and has room" };
  };

  readonly forService = (_service: string, context?: PickerContext): Picker => {
    return new ConsistentHash(this.#settings, this.#build, context);
  };

  #hashOf(request: MeshRequest): Hash64 {
    const key = this.#keyOf(request);
    return key === undefined ? { high: drawIndex(this.#random, 2 ** 32), low: drawIndex(this.#random, 2 ** 32) } : xxh64(key);
  }

  #keyOf(request: MeshRequest): string | undefined {
    const { hashKey } = this.#settings;
    return request.options.hashKey ?? (hashKey && keyBy(hashKey, request));
  }

  /**
   * A retry picks from a part of a list: it goes to the next owner on the circle of the whole list, which is the shortest with both ends of the part,
   * where lists have members in common.
   */
  #ringAround(part: readonly Upstream[]): Ring<C> | undefined {
    const first = part[0] as Upstream;
    const last = part.at(-1) as Upstream;
    let best: Ring<C> | undefined;
    let around: Ring<C> | undefined;
    for (const ring of this.#rings.states()) {
      const { members } = ring;
      if (best !== undefined && members.length >= best.members.length) continue;
      if (!members.includes(first)) continue;
      around ??= ring;
      if (members.length > part.length && members.includes(last)) best = ring;
    }
    return best ?? around;
  }
}

function sharesOf<C extends Circle>({ members, circle }: Ring<C>): ReadonlyMap<Upstream, number> {
  const shares = circle.shares();
  return new Map(members.map((upstream, index) => [upstream, shares[index] ?? 0]));
}

/** A picker must not throw: where the user's function does, or returns something other than a string, the request has no key. */
function keyBy(hashKey: HashKey, request: MeshRequest): string | undefined {
  try {
    const key: unknown = hashKey(request);
    return typeof key === "string" ? key : undefined;
  } catch {
    return undefined;
  }
}
