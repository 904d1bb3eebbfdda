import { type Clock, type Random, systemClock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Subset as RoutedSubset } from "../core/routed.ts";
import { Upstream } from "../core/upstream.ts";
import { type BalancingOptions, balancingOptions } from "./balancing-options.ts";
import type { Candidacy } from "./candidates/candidacy.ts";
import type { CandidateList, ShareOptions } from "./candidates/candidate-lists.ts";
import { type Level, levelsOf } from "./candidates/levels.ts";
import { SlowStart } from "./candidates/slow-start.ts";
import { Subset } from "./candidates/subset.ts";
import type { Zone } from "./candidates/zone-load.ts";
import type { Picker } from "./picker.ts";
import { Selection } from "./selection.ts";
import { Selections, type SubsetSelection } from "./selections.ts";
import { UpstreamSet } from "./upstream-set.ts";

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
  /** Members may have joined without a change of discovery: a subset is picked from for the first time. */
  readonly onMembers?: () => void;
}

/**
 * The upstreams of one service: keeps them up to date with discovery, and picks from the selection of all of them, or from that of the subset which the
 * route of a call leads to.
 */
export class Balancer {
  readonly #options: BalancerOptions;
  #picker: Picker;
  readonly #sharing: Omit<ShareOptions, "callers">;
  readonly #random: Random;
  readonly #slowStart: SlowStart | undefined;
  readonly #subset: Subset | undefined;
  readonly #selections: Selections;
  readonly #set = new UpstreamSet((endpoint, isFirst) => this.#join(endpoint, isFirst));
  #callers: ReadonlyMap<Zone, number> | undefined = undefined;
  /** Whether any upstream is marked as unconfirmed. */
  #hasDoubt = false;

  constructor(options: BalancerOptions) {
    const { picker, zone, clock = systemClock, random = Math.random } = options;
    const { priorities, zoneAware, subset, slowStart } = balancingOptions.settle(options);
    this.#options = options;
    this.#picker = picker;
    this.#sharing = { priorities, zone, zoneAware };
    this.#slowStart = slowStart === false ? undefined : new SlowStart(slowStart, clock);
    this.#subset = subset === false ? undefined : new Subset(subset, random);
    this.#random = random;
    const whole = new Selection({
      picker,
      random,
      slowStart: this.#slowStart,
      levels: () => this.#levels(),
      sharing: () => this.#shares(),
    });
    this.#selections = new Selections(whole, (routed) => this.#selectionOf(routed));
    const callers = zoneAware === false ? undefined : zoneAware.callers;
    if (typeof callers === "object") this.#callers = new Map(Object.entries(callers));
  }

  /** Every upstream, in rotation or not, in discovery's order. */
  get upstreams(): readonly Upstream[] {
    return this.#set.upstreams;
  }

  /** The upstreams that this process uses, in rotation or not: all of them, or a part, with those of every subset that is picked from. */
  get members(): readonly Upstream[] {
    if (this.#subset === undefined) return this.upstreams;
    const members = new Set<Upstream>();
    this.#selections.each((selection) => {
      for (const upstream of selection.members) members.add(upstream);
    });
    return [...members];
  }

  /** The upstreams that a first attempt may be sent to. */
  get candidates(): readonly Upstream[] {
    return this.#selections.whole.candidates;
  }

  /** The lists that picks are made from: one, or several that share the requests. Those of share 0 are for retries only. */
  get lists(): readonly CandidateList[] {
    return this.#selections.whole.lists;
  }

  /** The subsets that calls were picked from, each with its selection. */
  get subsets(): readonly SubsetSelection[] {
    return this.#selections.subsets;
  }

  /** The upstreams that the first attempt of a call by this route may be sent to. */
  candidatesOf(request: Pick<MeshRequest, "routed">): readonly Upstream[] {
    return this.#selections.of(request).candidates;
  }

  /** Every upstream that a call by this route may be sent to, in rotation or not. */
  upstreamsOf(request: Pick<MeshRequest, "routed">): readonly Upstream[] {
    return request.routed?.subset === undefined
      ? this.upstreams
      : this.upstreams.filter((upstream) => !this.#selections.leavesOut(request, upstream));
  }

  /** Forgets the lists of subsets: routes have changed. */
  forgetSubsets(): void {
    this.#selections.forget();
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
    this.#subset?.refresh();
    this.#selections.each((selection) => selection.invalidate(changes?.changed));
    for (const upstream of changes?.gone ?? []) {
      this.#selections.each((selection) => selection.forget(upstream));
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
    this.#selections.each((selection) => selection.usePicker(picker));
  }

  /** Sets the number of callers in each zone; `undefined`: unknown. */
  updateCallers(callers: ReadonlyMap<Zone, number> | undefined): void {
    this.#callers = callers;
    this.#selections.each((selection) => selection.invalidate());
  }

  /**
   * The upstream for one attempt, preferably one that this call has not tried; `undefined` when the service has none.
   * @param mayProbe the request may be the probe of a half-open instance: when it fails there, it is repeated elsewhere
   */
  pick(request: MeshRequest, mayProbe: boolean): Upstream | undefined {
    return (request.routed === undefined ? this.#selections.whole : this.#selections.of(request)).pick(request, mayProbe);
  }

  /** Whether `upstream` may be picked for a first attempt, and why. Costs nothing unless it is called. */
  candidacyOf(upstream: Upstream): Candidacy {
    return this.#selections.whole.candidacyOf(upstream, this.#set.has(upstream));
  }

  #join(endpoint: Endpoint, isFirst: boolean): Upstream {
    const upstream = new Upstream(this.#options.service, endpoint, this.#options.peerName);
    upstream.onStateChange = this.#onStateChange;
    this.#subset?.add(upstream);
    // The instances of the first set have been running for an unknown time.
    if (!isFirst) this.#selections.each((selection) => selection.begin(upstream));
    return upstream;
  }

  readonly #onStateChange = (upstream: Upstream): void => {
    this.#selections.each((selection) => {
      if (upstream.state === "available") selection.begin(upstream);
      selection.invalidate();
    });
    this.#options.onStateChange?.(upstream);
  };

  /** The selection of a subset: priorities, zones, the number of instances in use, slow start and panic are those of its own members. */
  #selectionOf(routed: RoutedSubset): Selection {
    const has = ({ endpoint }: Upstream) => routed.has(endpoint);
    const selection = new Selection({
      picker: this.#picker,
      random: this.#random,
      slowStart: this.#slowStart?.copy(),
      family: {},
      levels: () => this.#levels(has),
      sharing: () => this.#shares(),
    });
    // After this pick: what it tells asks for the members, of which the selection has to be one.
    if (this.#subset !== undefined) queueMicrotask(() => this.#options.onMembers?.());
    return selection;
  }

  #levels(has?: (upstream: Upstream) => boolean): readonly Level[] {
    return this.#subset?.levels(has) ?? levelsOf(has === undefined ? this.upstreams : this.upstreams.filter(has));
  }

  #shares(): ShareOptions {
    return { ...this.#sharing, callers: this.#callers };
  }
}
