import { type Endpoint, sameAddress, sameFacts } from "../core/endpoint.ts";
import type { Upstream } from "../core/upstream.ts";

/** Differences between a set and the one before. */
export interface SetChanges {
  /** Members are new, or have new data that a picker may see, or are gone. */
  readonly hasChanged: boolean;
  /** Members with new data that a picker may see. */
  readonly changed: readonly Upstream[];
  readonly gone: readonly Upstream[];
}

/** A member of the set. */
interface Slot {
  readonly upstream: Upstream;
  /** The last update that contained it. */
  update: number;
}

/**
 * The upstreams of a service, matched to discovery's answers: the same id at the same address keeps its upstream, so that what was
 * learnt survives an update; another address makes a new one.
 */
export class UpstreamSet {
  readonly #create: (endpoint: Endpoint, isFirst: boolean) => Upstream;
  /** In discovery's order. */
  #slots: readonly Slot[] = [];
  #byId = new Map<string, Slot>();
  /** Number of ids deleted from the map since it was made. */
  #deleted = 0;
  #update = 0;
  #endpoints: readonly Endpoint[] | undefined;

  /** @param create makes the upstream of a new endpoint; `isFirst`: the endpoint is of the first set */
  constructor(create: (endpoint: Endpoint, isFirst: boolean) => Upstream) {
    this.#create = create;
  }

  /** Every upstream, in discovery's order. */
  get upstreams(): readonly Upstream[] {
    return this.#slots.map(({ upstream }) => upstream);
  }

  has(upstream: Upstream): boolean {
    return this.#byId.get(upstream.id)?.upstream === upstream;
  }

  /** Takes a complete new set; `undefined` for the same array again, which only confirms the last set. */
  update(endpoints: readonly Endpoint[]): SetChanges | undefined {
    if (endpoints === this.#endpoints) return undefined;
    const isFirst = this.#endpoints === undefined;
    this.#endpoints = endpoints;
    const update = ++this.#update;
    const before = this.#slots;
    const after: Slot[] = [];
    const changed: Upstream[] = [];
    let hasJoined = false;
    let next = 0;
    for (const endpoint of endpoints) {
      // The order is mostly that of the last set without a few members: looking up ten thousand ids would take milliseconds.
      if (before[next]?.upstream.id !== endpoint.id && before[next + 1]?.upstream.id === endpoint.id) next++;
      const slot = before[next]?.upstream.id === endpoint.id ? before[next++] : this.#byId.get(endpoint.id);
      // Of two endpoints with the same id the first one counts.
      if (slot?.update === update) continue;
      if (slot !== undefined && sameAddress(slot.upstream.endpoint, endpoint)) {
        slot.update = update;
        after.push(slot);
        if (!sameFacts(slot.upstream.endpoint, endpoint)) changed.push(slot.upstream);
        slot.upstream.refresh(endpoint);
      } else {
        hasJoined = true;
        const joined: Slot = { upstream: this.#create(endpoint, isFirst), update };
        this.#byId.set(endpoint.id, joined);
        after.push(joined);
      }
    }
    this.#slots = after;
    const gone = before.filter((slot) => slot.update !== update);
    for (const slot of gone) if (this.#byId.get(slot.upstream.id) === slot) this.#delete(slot.upstream.id);
    return { hasChanged: hasJoined || changed.length + gone.length > 0, changed, gone: gone.map(({ upstream }) => upstream) };
  }

  /** A map keeps the space of deleted entries and doubles when it is full: instances that come and go would cost half a megabyte. */
  #delete(id: string): void {
    this.#byId.delete(id);
    if (++this.#deleted * 4 < this.#byId.size) return;
    this.#byId = new Map(this.#byId);
    this.#deleted = 0;
  }
}
