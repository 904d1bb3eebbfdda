import { type Clock, type Random, systemClock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { Upstream } from "../core/upstream.ts";
import { type BalancingOptions, balancingOptions } from "./balancing-options.ts";
import { type Candidacy, candidacyOf } from "./candidates/candidacy.ts";
import type { CandidateList, ShareOptions } from "./candidates/candidate-lists.ts";
import { Candidates } from "./candidates/candidates.ts";
import { isLastResort, type Level, levelsOf } from "./candidates/levels.ts";
import { SlowStart } from "./candidates/slow-start.ts";
import { Subset } from "./candidates/subset.ts";
import type { Zone } from "./candidates/zone-load.ts";
import type { Picker } from "./picker.ts";
import { tracingPicker } from "./tracing-picker.ts";
import { UpstreamSet } from "./upstream-set.ts";

/** Number of requests that may not be repeated after which one of them is sent as the probe of a half-open instance. */
const maxProbesSkipped = 50;

/** Options and parts of a {@link Balancer}. */
export interface BalancerOptions extends BalancingOptions {
  readonly service: string;
  /** The name of the service to its instances. */
  readonly peerName?: string | undefined;
  readonly picker: Picker;
  /** The zone of this process. */
  readonly zone?: string | undefined;
  readonly clock?: Clock;
  readonly random?: Random;
  /** The state of an upstream has changed, or whether it wants a probe. */
  readonly onStateChange?: (upstream: Upstream) => void;
  /** Discovery no longer lists the upstream: its connections may be closed once it is idle. */
  readonly onRemoved?: (upstream: Upstream) => void;
}

/** The candidate lists by member. */
interface Places {
  readonly members: ReadonlySet<Upstream>;
  readonly lists: ReadonlyMap<Upstream, CandidateList>;
}

/**
 * The upstreams of one service: keeps them up to date with discovery, knows the candidates, and asks the picker.
 *
 * The lists of candidates are built by the first pick after a change: changes in a burst cost one, and a pick never filters.
 */
export class Balancer {
  readonly #options: BalancerOptions;
  #picker: Picker;
  readonly #sharing: Omit<ShareOptions, "callers">;
  readonly #candidates: Candidates;
  readonly #slowStart: SlowStart | undefined;
  readonly #subset: Subset | undefined;
  readonly #set = new UpstreamSet((endpoint, isFirst) => this.#join(endpoint, isFirst));
  #callers: ReadonlyMap<Zone, number> | undefined = undefined;
  /** Upstreams whose data has changed since the lists were built. */
  readonly #changed = new Set<Upstream>();
  /** Whether any upstream is marked as unconfirmed. */
  #hasDoubt = false;
  #isStale = true;
  #only: readonly Upstream[] | undefined = undefined;
  #probes: readonly Upstream[] = [];
  #probesSkipped = 0;
  /** Built by the first {@link candidacyOf} after a change. */
  #places: Places | undefined = undefined;

  constructor(options: BalancerOptions) {
    const { picker, zone, clock = systemClock, random = Math.random } = options;
    const { priorities, zoneAware, subset, slowStart } = balancingOptions.settle(options);
    this.#options = options;
    this.#picker = picker;
    this.#sharing = { priorities, zone, zoneAware };
    this.#slowStart = slowStart === false ? undefined : new SlowStart(slowStart, clock);
    this.#subset = subset === false ? undefined : new Subset(subset, random);
    this.#candidates = new Candidates({ picker, random, slowStart: this.#slowStart });
    const callers = zoneAware === false ? undefined : zoneAware.callers;
    if (typeof callers === "object") this.#callers = new Map(Object.entries(callers));
  }

  /** Every upstream, in rotation or not, in discovery's order. */
  get upstreams(): readonly Upstream[] {
    return this.#set.upstreams;
  }

  /** The upstreams that this process uses, in rotation or not: all of them, or a subset. */
  get members(): readonly Upstream[] {
    return this.#subset === undefined ? this.upstreams : this.#levels().flatMap((level) => level.members);
  }

  /** The upstreams that a first attempt may be sent to. */
  get candidates(): readonly Upstream[] {
    this.#rebuild();
    return this.#candidates.upstreams;
  }

  /** The lists that picks are made from: one, or several that share the requests. Those of share 0 are for retries only. */
  get lists(): readonly CandidateList[] {
    this.#rebuild();
    return this.#candidates.lists;
  }

  /**
   * Takes a complete new set of endpoints. The same id at the same address keeps its upstream; another address makes a new one.
   * @param unconfirmed those of the set that discovery's last answer leaves out: a last resort where there are others
   */
  update(endpoints: readonly Endpoint[], unconfirmed: readonly Endpoint[] = []): void {
    const changes = this.#set.update(endpoints);
    const hasNewDoubt = this.#doubt(unconfirmed.length < endpoints.length ? unconfirmed : []);
    // Most answers only confirm the last one, maybe in another order, and a picker may have a ring to build.
    if (!changes?.hasChanged && !hasNewDoubt) return;
    for (const upstream of changes?.changed ?? []) this.#changed.add(upstream);
    this.#subset?.refresh();
    this.#invalidate();
    for (const upstream of changes?.gone ?? []) {
      this.#slowStart?.forget(upstream);
      this.#changed.delete(upstream);
      upstream.markRemoved();
      this.#options.onRemoved?.(upstream);
    }
  }

  /** Marks the upstreams of these endpoints as unconfirmed, and no others; `true` when that has changed any. */
  #doubt(unconfirmed: readonly Endpoint[]): boolean {
    if (unconfirmed.length === 0 && !this.#hasDoubt) return false;
    this.#hasDoubt = unconfirmed.length > 0;
    const ids = new Set(unconfirmed.map(({ id }) => id));
    let hasChanged = false;
    for (const upstream of this.upstreams) {
      const isUnconfirmed = ids.has(upstream.id);
      if (upstream.unconfirmed === isUnconfirmed) continue;
      upstream.setUnconfirmed(isUnconfirmed);
      hasChanged = true;
    }
    return hasChanged;
  }

  /** Picks by another picker from the next attempt on, which is told of all lists before. */
  usePicker(picker: Picker): void {
    this.#picker = picker;
    this.#candidates.usePicker(picker);
    this.#invalidate();
  }

  /** Sets the number of callers in each zone; `undefined`: unknown. */
  updateCallers(callers: ReadonlyMap<Zone, number> | undefined): void {
    this.#callers = callers;
    this.#invalidate();
  }

  /**
   * The upstream for one attempt, preferably one that this call has not tried; `undefined` when the service has none.
   * @param mayProbe the request may be the probe of a half-open instance: when it fails there, it is repeated elsewhere
   */
  pick(request: MeshRequest, mayProbe: boolean): Upstream | undefined {
    if (this.#isStale) this.#rebuild();
    const { trace } = request;
    const picker = trace === undefined ? this.#picker : tracingPicker(this.#picker, trace);
    if (request.tried.length > 0) return this.#candidates.pickUntried(request, picker);
    if (this.#probes.length > 0) {
      const probe = this.#takeProbe(mayProbe);
      if (probe !== undefined) {
        trace?.because(`the probe of an instance that is out of rotation (one of ${this.#probes.length} that wait for one)`);
        return probe;
      }
    }
    if (this.#only !== undefined) return picker.pick(this.#only, request);
    if (this.#slowStart !== undefined && this.#slowStart.size > 0 && this.#slowStart.sweep()) {
      this.#invalidate();
      this.#rebuild();
    }
    return this.#candidates.pick(request, picker);
  }

  /** Whether `upstream` may be picked for a first attempt, and why. Costs nothing unless it is called. */
  candidacyOf(upstream: Upstream): Candidacy {
    this.#rebuild();
    this.#places ??= this.#locate();
    return candidacyOf(upstream, {
      list: this.#places.lists.get(upstream),
      isListed: this.#set.has(upstream),
      isInSubset: this.#places.members.has(upstream),
      slowStartRatio: this.#slowStart?.ratioOf(upstream) ?? 1,
    });
  }

  #join(endpoint: Endpoint, isFirst: boolean): Upstream {
    const upstream = new Upstream(this.#options.service, endpoint, this.#options.peerName);
    upstream.onStateChange = this.#onStateChange;
    this.#subset?.add(upstream);
    // The instances of the first set have been running for an unknown time.
    if (!isFirst) this.#slowStart?.begin(upstream);
    return upstream;
  }

  readonly #onStateChange = (upstream: Upstream): void => {
    if (upstream.state === "available") this.#slowStart?.begin(upstream);
    this.#invalidate();
    this.#options.onStateChange?.(upstream);
  };

  #takeProbe(mayProbe: boolean): Upstream | undefined {
    // Where there are only requests that may not be repeated, one of them has to be the probe eventually.
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
    this.#probes = probedOf(levels).flatMap(({ members }) => members.filter(({ wantsProbe }) => wantsProbe));
    this.#candidates.rebuild(levels, { ...this.#sharing, callers: this.#callers }, this.#changed);
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

/** The levels whose instances are sent probes: a last resort is asked for nothing while an instance that discovery lists is available. */
function probedOf(levels: readonly Level[]): readonly Level[] {
  const listed = levels.filter((level) => !isLastResort(level));
  return listed.some(({ members }) => members.some(({ state }) => state === "available")) ? listed : levels;
}
