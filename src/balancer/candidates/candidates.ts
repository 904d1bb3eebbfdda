import type { Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { warnOfThrow } from "../../core/observing/fence.ts";
import type { Upstream } from "../../core/upstream.ts";
import { markFamily } from "../lists/list-family.ts";
import type { Picker } from "../picker.ts";
import { type CandidateList, candidateLists, keepArrays, type ShareOptions } from "./candidate-lists.ts";
import type { Level } from "./levels.ts";
import type { SlowStart } from "./slow-start.ts";
import { SlowStartList, settledKey, settledLists } from "./slow-start-list.ts";

/** A retry draws from a longer list until it finds an untried instance, mostly at once, instead of filtering the list. */
const maxFiltered = 32;
const maxDraws = 3;

/** Parts of {@link Candidates}. */
export interface CandidatesOptions {
  readonly picker: Picker;
  readonly random: Random;
  readonly slowStart: SlowStart | undefined;
  /** Marks the lists of a part of the instances, which others have members in common with; `undefined` for those of all. */
  readonly family?: object | undefined;
}

/** The lists of candidates, and the picks from them. */
export class Candidates {
  #picker: Picker;
  readonly #random: Random;
  readonly #slowStart: SlowStart | undefined;
  readonly #family: object | undefined;
  readonly #none: readonly Upstream[] = [];
  /** The arrays that the picker's `update` has been called with. */
  #announced = new WeakSet<readonly Upstream[]>();
  /** The lists, those of share 0 included, followed by the settled members of those in which some instances are in slow start. */
  #all: readonly CandidateList[] = [];
  #lists: readonly CandidateList[] = [];
  /** For each list with a share: its array, its slow start, and the sum of the shares up to it. */
  #drawn: readonly (readonly Upstream[])[] = [this.#none];
  #slowStarts: readonly (SlowStartList | undefined)[] = [undefined];
  #ends = new Float64Array(0);
  #together: readonly Upstream[] | undefined = undefined;

  constructor({ picker, random, slowStart, family }: CandidatesOptions) {
    this.#picker = picker;
    this.#random = random;
    this.#slowStart = slowStart;
    this.#family = family;
    if (family !== undefined) markFamily(this.#none, family);
  }

  /** Takes another picker, which the next {@link rebuild} tells of all lists. */
  usePicker(picker: Picker): void {
    this.#picker = picker;
    this.#announced = new WeakSet();
  }

  /** Every list, those for retries only included. */
  get lists(): readonly CandidateList[] {
    return this.#lists;
  }

  /** The instances that a first attempt may be sent to. */
  get upstreams(): readonly Upstream[] {
    this.#together ??= this.#drawn.length === 1 ? this.#drawn[0] : this.#drawn.flat();
    return this.#together as readonly Upstream[];
  }

  /** The list of every first attempt when there is only one and no slow start in it, which is the usual case. */
  get only(): readonly Upstream[] | undefined {
    return this.#drawn.length === 1 && this.#slowStarts[0] === undefined ? this.#drawn[0] : undefined;
  }

  /**
   * Builds the lists and announces new ones to the picker.
   * @param changed the upstreams whose data has changed in a way that a picker may see
   */
  rebuild(levels: readonly Level[], options: ShareOptions, changed: ReadonlySet<Upstream>): void {
    const slowStart = this.#slowStart;
    slowStart?.sweep();
    const lists = candidateLists(levels, options);
    const settled = slowStart === undefined || slowStart.size === 0 ? [] : settledLists(lists, slowStart);
    this.#all = keepArrays(this.#all, [...lists, ...settled], changed);
    this.#lists = this.#all.slice(0, lists.length);
    const shared = this.#lists.filter(({ share }) => share > 0);
    const settledByKey = new Map(this.#all.slice(lists.length).map((list) => [list.key, list.upstreams]));
    this.#slowStarts = shared.map((list) => {
      const members = settledByKey.get(settledKey(list));
      return members === undefined || slowStart === undefined ? undefined : new SlowStartList(list, members, slowStart);
    });
    this.#drawn = shared.length === 0 ? [this.#none] : shared.map(({ upstreams }) => upstreams);
    let end = 0;
    this.#ends = Float64Array.from(shared, ({ share }) => {
      end += share;
      return end;
    });
    this.#together = undefined;
    for (const upstreams of [...this.#drawn, ...settledByKey.values()]) {
      if (upstreams !== this.#none && this.#announced.has(upstreams)) continue;
      this.#announced.add(upstreams);
      if (this.#family !== undefined) markFamily(upstreams, this.#family);
      try {
        this.#picker.update?.(upstreams);
      } catch (error) {
        // The lists may come from the registry: it has not failed.
        warnOfThrow("update of a picker", error);
      }
    }
  }

  /** An instance for a first attempt; `undefined` when there is none. */
  pick(request: MeshRequest, picker: Pick<Picker, "pick"> = this.#picker): Upstream | undefined {
    const index = this.#drawn.length === 1 ? 0 : this.#draw(request);
    const upstreams = this.#drawn[index] as readonly Upstream[];
    const slowStartList = this.#slowStarts[index];
    const picked = picker.pick(upstreams, request);
    if (this.#slowStart === undefined || this.#slowStart.size === 0) return picked;
    // Slow start does not move a request with a key.
    if (picked === undefined || this.#picker.chanceOf?.(request) !== undefined) return picked;
    this.#slowStart.count();
    if (slowStartList === undefined) return picked;
    if (!this.#slowStart.has(picked) || slowStartList.admits(picked, this.#random())) return picked;
    request.trace?.because(`${picked.id} is in slow start, and gets a part of its share`);
    return picker.pick(slowStartList.settled, request) ?? picked;
  }

  /**
   * An instance that the call has not tried: from the drawn list, else from any list with a share, else from the other lists in order.
   * When all have been tried, any of the drawn list.
   */
  pickUntried(request: MeshRequest, picker: Pick<Picker, "pick"> = this.#picker): Upstream | undefined {
    const index = this.#drawn.length === 1 ? 0 : this.#draw(request);
    const upstreams = this.#drawn[index] as readonly Upstream[];
    if (upstreams.length > maxFiltered && this.#picker.chanceOf?.(request) === undefined) {
      for (let draw = 0; draw < maxDraws; draw++) {
        const picked = picker.pick(upstreams, request);
        if (picked !== undefined && !request.tried.includes(picked)) return picked;
      }
    }
    const isUntried = (upstream: Upstream) => !request.tried.includes(upstream);
    let untried = upstreams.filter(isUntried);
    if (untried.length === 0 && this.#drawn.length > 1) untried = this.upstreams.filter(isUntried);
    for (const list of this.#lists) {
      if (untried.length > 0) break;
      if (list.share === 0) untried = list.upstreams.filter(isUntried);
    }
    return picker.pick(untried.length > 0 ? untried : upstreams, request);
  }

  #draw(request: MeshRequest): number {
    const chance = this.#picker.chanceOf?.(request) ?? this.#random();
    let low = 0;
    let high = this.#ends.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (chance < (this.#ends[middle] as number)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
