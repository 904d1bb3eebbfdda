import type { Random } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import type { Upstream } from "../core/upstream.ts";
import { type Candidacy, candidacyOf } from "./candidates/candidacy.ts";
import type { CandidateList, ShareOptions } from "./candidates/candidate-lists.ts";
import { Candidates } from "./candidates/candidates.ts";
import { isLastResort, type Level } from "./candidates/levels.ts";
import type { SlowStart } from "./candidates/slow-start.ts";
import type { Picker } from "./picker.ts";
import { tracingPicker } from "./tracing-picker.ts";

/** Number of requests that may not be repeated after which one of them is sent as the probe of a half-open instance. */
const maxProbesSkipped = 50;

/** Parts of a {@link Selection}. */
export interface SelectionParts {
  readonly picker: Picker;
  readonly random: Random;
  /** Its own: picks are counted by it. */
  readonly slowStart: SlowStart | undefined;
  /** Marks its lists, for a selection of a part of the instances. */
  readonly family?: object | undefined;
  /** The instances that are selected from, by priority. */
  readonly levels: () => readonly Level[];
  readonly sharing: () => ShareOptions;
}

/** The candidate lists by member. */
interface Places {
  readonly members: ReadonlySet<Upstream>;
  readonly lists: ReadonlyMap<Upstream, CandidateList>;
}

/**
 * The instances of a service, or of a part of it, that picks are made from: their lists, the probes that wait, and what is in slow start. The lists are
 * built by the first pick after a change: changes in a burst cost one, and a pick never filters.
 */
export class Selection {
  readonly #parts: SelectionParts;
  #picker: Picker;
  readonly #candidates: Candidates;
  readonly #slowStart: SlowStart | undefined;
  /** Upstreams whose data has changed since the lists were built. */
  readonly #changed = new Set<Upstream>();
  #isStale = true;
  #only: readonly Upstream[] | undefined = undefined;
  #probes: readonly Upstream[] = [];
  #probesSkipped = 0;
  #isEmpty = true;
  /** Built by the first {@link candidacyOf} after a change. */
  #places: Places | undefined = undefined;

  constructor(parts: SelectionParts) {
    this.#parts = parts;
    this.#picker = parts.picker;
    this.#slowStart = parts.slowStart;
    this.#candidates = new Candidates(parts);
  }

  /** Whether it has no instance, in rotation or not. */
  get isEmpty(): boolean {
    this.#rebuild();
    return this.#isEmpty;
  }

  /** The instances, in rotation or not. */
  get members(): readonly Upstream[] {
    return this.#parts.levels().flatMap(({ members }) => members);
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

  /** The part of its share that an upstream gets in slow start; 1 outside of it. */
  slowStartRatioOf(upstream: Upstream): number {
    return this.#slowStart?.ratioOf(upstream) ?? 1;
  }

  /** The instances, their states or their data have changed. */
  invalidate(changed: readonly Upstream[] = []): void {
    for (const upstream of changed) this.#changed.add(upstream);
    this.#isStale = true;
    this.#places = undefined;
  }

  /** Picks by another picker, which is told of all lists before. */
  usePicker(picker: Picker): void {
    this.#picker = picker;
    this.#candidates.usePicker(picker);
    this.invalidate();
  }

  /** The slow start of an upstream begins. */
  begin(upstream: Upstream): void {
    this.#slowStart?.begin(upstream);
  }

  /** Discovery lists an upstream no longer. */
  forget(upstream: Upstream): void {
    this.#slowStart?.forget(upstream);
    this.#changed.delete(upstream);
  }

  /** The upstream for one attempt, preferably one that its call has not tried; `undefined` when there is none. */
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
      this.invalidate();
      this.#rebuild();
    }
    return this.#candidates.pick(request, picker);
  }

  /** Whether `upstream` may be picked for a first attempt, and why. Costs nothing unless it is called. */
  candidacyOf(upstream: Upstream, isListed: boolean): Candidacy {
    this.#rebuild();
    this.#places ??= this.#locate();
    return candidacyOf(upstream, {
      list: this.#places.lists.get(upstream),
      isListed,
      isInSubset: this.#places.members.has(upstream),
      slowStartRatio: this.slowStartRatioOf(upstream),
    });
  }

  #takeProbe(mayProbe: boolean): Upstream | undefined {
    // Where there are only requests that may not be repeated, one of them has to be the probe eventually.
    if (!mayProbe && ++this.#probesSkipped < maxProbesSkipped) return undefined;
    this.#probesSkipped = 0;
    return this.#probes[0];
  }

  #rebuild(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    const levels = this.#parts.levels();
    this.#isEmpty = levels.length === 0;
    this.#probes = probedOf(levels).flatMap(({ members }) => members.filter(({ wantsProbe }) => wantsProbe));
    this.#candidates.rebuild(levels, this.#parts.sharing(), this.#changed);
    this.#changed.clear();
    this.#only = this.#candidates.only;
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
