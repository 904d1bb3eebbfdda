import { type Clock, type Random, systemClock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { type Endpoint, sameMetadata } from "../core/endpoint.ts";
import { Upstream } from "../core/upstream.ts";
import type { BalancingOptions } from "./balancing-options.ts";
import type { CandidateList } from "./candidates/candidate-lists.ts";
import { Candidates } from "./candidates/candidates.ts";
import { type Level, levelsOf } from "./candidates/levels.ts";
import { SlowStart } from "./candidates/slow-start.ts";
import { type Standing, standingOf } from "./candidates/standing.ts";
import { Subset } from "./candidates/subset.ts";
import type { Zone } from "./candidates/zone-load.ts";
import type { Picker } from "./picker.ts";

const maxProbesSkipped = 50;

/** What a {@link Balancer} needs. */
export interface BalancerOptions extends BalancingOptions {
  readonly service: string;
  readonly picker: Picker;
  /** The zone of this process. */
  readonly zone?: string | undefined;
  readonly clock?: Clock;
  readonly random?: Random;
  /** The state of an upstream changed, or whether it wants a probe. */
  readonly onStateChange?: (upstream: Upstream) => void;
  /** Discovery no longer lists the upstream: its connections may be closed once it is idle. */
  readonly onRemoved?: (upstream: Upstream) => void;
}

/** An upstream that discovery lists. */
interface Slot {
  readonly upstream: Upstream;
  /** The last update that had it. */
  update: number;
}

interface Places {
  readonly members: ReadonlySet<Upstream>;
  readonly lists: ReadonlyMap<Upstream, CandidateList>;
}

/**
 * The upstreams of one service: matches discovery's sets to them by id, so that what was learnt survives an update, knows
 * who is a candidate, and asks the picker.
 *
 * The lists of candidates are put together by the first pick after a change, so that changes in a burst cost one and a pick never
 * filters.
 */
export class Balancer {
  readonly #options: BalancerOptions;
  readonly #candidates: Candidates;
  readonly #slowStart: SlowStart | undefined;
  readonly #subset: Subset | undefined;
  /** In discovery's order. */
  #slots: readonly Slot[] = [];
  #byId = new Map<string, Slot>();
  /** Ids taken out of the map since it was made. */
  #forgotten = 0;
  #update = 0;
  #endpoints: readonly Endpoint[] | undefined = undefined;
  #callers: ReadonlyMap<Zone, number> | undefined = undefined;
  /** Upstreams whose data has changed since the lists were put together. */
  readonly #changed = new Set<Upstream>();
  #isStale = true;
  #only: readonly Upstream[] | undefined = undefined;
  #probes: readonly Upstream[] = [];
  #probesSkipped = 0;
  /** Where each upstream stands, made when somebody asks. */
  #places: Places | undefined = undefined;

  constructor(options: BalancerOptions) {
    const { picker, clock = systemClock, random = Math.random, slowStart = false, subset = false, zoneAware } = options;
    this.#options = options;
    this.#slowStart = slowStart === false ? undefined : new SlowStart(slowStart, clock);
    this.#subset = subset === false ? undefined : new Subset(subset, random);
    this.#candidates = new Candidates({ picker, random, slowStart: this.#slowStart });
    const callers = zoneAware === false ? undefined : zoneAware?.callers;
    if (typeof callers === "object") this.#callers = new Map(Object.entries(callers));
  }

  /** Every upstream, in rotation or not, in discovery's order. */
  get upstreams(): readonly Upstream[] {
    return this.#slots.map(({ upstream }) => upstream);
  }

  /** The upstreams that this process uses, in rotation or not: all of them, or a subset. */
  get members(): readonly Upstream[] {
    return this.#subset === undefined ? this.upstreams : this.#levels().flatMap((level) => level.members);
  }

  /** Everybody that a first attempt may be given to. */
  get candidates(): readonly Upstream[] {
    this.#rebuild();
    return this.#candidates.upstreams;
  }

  /** What the picker chooses from: one list, or several that share the requests. Those of share 0 serve retries only. */
  get lists(): readonly CandidateList[] {
    this.#rebuild();
    return this.#candidates.lists;
  }

  /** Takes a complete new set. The same id at the same address keeps its upstream; another address makes a new one. */
  update(endpoints: readonly Endpoint[]): void {
    // An answer that only confirms the last one.
    if (endpoints === this.#endpoints) return;
    const isFirst = this.#endpoints === undefined;
    this.#endpoints = endpoints;
    const update = ++this.#update;
    const before = this.#slots;
    const after: Slot[] = [];
    // Most answers only confirm the last one, maybe in another order, and a picker may have a ring to build.
    let hasChanged = false;
    let next = 0;
    for (const endpoint of endpoints) {
      // Mostly in the order of the last time, but for one that has gone: looking up ten thousand ids takes milliseconds.
      if (before[next]?.upstream.id !== endpoint.id && before[next + 1]?.upstream.id === endpoint.id) next++;
      const slot = before[next]?.upstream.id === endpoint.id ? before[next++] : this.#byId.get(endpoint.id);
      // An id that occurs twice: the first one counts.
      if (slot?.update === update) continue;
      if (slot !== undefined && isSameAddress(slot.upstream.endpoint, endpoint)) {
        slot.update = update;
        after.push(slot);
        if (!isAlike(slot.upstream.endpoint, endpoint)) {
          hasChanged = true;
          this.#changed.add(slot.upstream);
        }
        slot.upstream.refresh(endpoint);
      } else {
        hasChanged = true;
        const joined: Slot = { upstream: this.#join(endpoint, isFirst), update };
        this.#byId.set(endpoint.id, joined);
        after.push(joined);
      }
    }
    this.#slots = after;
    const gone = before.filter((slot) => slot.update !== update);
    if (hasChanged || gone.length > 0) {
      this.#subset?.refresh();
      this.#invalidate();
    }
    for (const slot of gone) {
      const { upstream } = slot;
      if (this.#byId.get(upstream.id) === slot) this.#forget(upstream.id);
      this.#slowStart?.forget(upstream);
      this.#changed.delete(upstream);
      upstream.markRemoved();
      this.#options.onRemoved?.(upstream);
    }
  }

  /** How many callers each zone has; `undefined` when that is not known. */
  updateCallers(callers: ReadonlyMap<Zone, number> | undefined): void {
    this.#callers = callers;
    this.#invalidate();
  }

  /**
   * The upstream for one attempt, preferably one that this call has not tried; `undefined` when the service has none.
   * `mayProbe`: the request may be sent to an instance whose breaker waits for a probe, because failing there costs
   * nothing but a retry.
   */
  pick(request: MeshRequest, mayProbe: boolean): Upstream | undefined {
    if (this.#isStale) this.#rebuild();
    if (request.tried.length > 0) return this.#candidates.pickUntried(request);
    if (this.#probes.length > 0) {
      const probe = this.#takeProbe(mayProbe);
      if (probe !== undefined) return probe;
    }
    if (this.#only !== undefined) return this.#options.picker.pick(this.#only, request);
    if (this.#slowStart !== undefined && this.#slowStart.size > 0 && this.#slowStart.sweep()) {
      this.#invalidate();
      this.#rebuild();
    }
    return this.#candidates.pick(request);
  }

  /** Why `upstream` is, or is not, one that picks are made from. Costs nothing unless it is called. */
  standing(upstream: Upstream): Standing {
    this.#rebuild();
    this.#places ??= this.#locate();
    return standingOf(upstream, {
      list: this.#places.lists.get(upstream),
      isListed: this.#byId.get(upstream.id)?.upstream === upstream,
      isInSubset: this.#places.members.has(upstream),
      slowStartRatio: this.#slowStart?.ratioOf(upstream) ?? 1,
    });
  }

  /** A map keeps the room of what was taken out and doubles when that runs out: instances that come and go would cost half a megabyte. */
  #forget(id: string): void {
    this.#byId.delete(id);
    if (++this.#forgotten * 4 < this.#byId.size) return;
    this.#byId = new Map(this.#byId);
    this.#forgotten = 0;
  }

  #join(endpoint: Endpoint, isFirst: boolean): Upstream {
    const upstream = new Upstream(this.#options.service, endpoint);
    upstream.onStateChange = this.#onStateChange;
    this.#subset?.add(upstream);
    // The first set has been running for nobody knows how long.
    if (!isFirst) this.#slowStart?.begin(upstream);
    return upstream;
  }

  readonly #onStateChange = (upstream: Upstream): void => {
    if (upstream.state === "available") this.#slowStart?.begin(upstream);
    this.#invalidate();
    this.#options.onStateChange?.(upstream);
  };

  #takeProbe(mayProbe: boolean): Upstream | undefined {
    // Where nothing but unsafe requests comes by, one of them has to be the probe some time.
    if (!mayProbe && ++this.#probesSkipped < maxProbesSkipped) return undefined;
    this.#probesSkipped = 0;
    return this.#probes[0];
  }

  #invalidate(): void {
    this.#isStale = true;
    this.#places = undefined;
  }

  #rebuild(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    const levels = this.#levels();
    this.#probes = levels.flatMap(({ members }) => members.filter(({ wantsProbe }) => wantsProbe));
    const { priorities, zone, zoneAware } = this.#options;
    this.#candidates.rebuild(levels, { priorities, zone, zoneAware, callers: this.#callers }, this.#changed);
    this.#changed.clear();
    this.#only = this.#candidates.only;
  }

  #levels(): readonly Level[] {
    return this.#subset?.levels() ?? levelsOf(this.upstreams);
  }

  #locate(): Places {
    const lists = new Map<Upstream, CandidateList>();
    for (const list of this.#candidates.lists) for (const upstream of list.upstreams) lists.set(upstream, list);
    return { members: new Set(this.members), lists };
  }
}

/** Whether two endpoints of the same id are the same instance: reached at the same place in the same way. */
function isSameAddress(one: Endpoint, other: Endpoint): boolean {
  return (
    one === other ||
    (one.host === other.host &&
      one.port === other.port &&
      one.socketPath === other.socketPath &&
      Boolean(one.secure) === Boolean(other.secure))
  );
}

/** Whether two sets of data of the same instance are the same to a picker. */
function isAlike(one: Endpoint, other: Endpoint): boolean {
  return (
    one === other ||
    (one.weight === other.weight &&
      one.priority === other.priority &&
      one.zone === other.zone &&
      sameMetadata(one.metadata, other.metadata))
  );
}
