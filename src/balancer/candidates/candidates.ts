import type { Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { Picker } from "../picker.ts";
import { type CandidateList, candidateLists, keepArrays, type ShareOptions } from "./candidate-lists.ts";
import type { Level } from "./levels.ts";
import type { SlowStart } from "./slow-start.ts";
import { SlowStartList, settledKey, settledLists } from "./slow-start-list.ts";

/** Of a longer list a retry is drawn until it meets somebody untried, which mostly is at once, instead of filtering the list. */
const maxFiltered = 32;
const maxDraws = 3;

const nobody: readonly Upstream[] = [];

/** What {@link Candidates} needs. */
export interface CandidatesOptions {
  readonly picker: Picker;
  readonly random: Random;
  readonly slowStart: SlowStart | undefined;
}

/** The lists that picks are made from at the moment, and the picks from them. */
export class Candidates {
  readonly #picker: Picker;
  readonly #random: Random;
  readonly #slowStart: SlowStart | undefined;
  /** What the picker has been told of. */
  readonly #announced = new WeakSet<readonly Upstream[]>();
  /** With lists of share 0, and those of warm members. */
  #all: readonly CandidateList[] = [];
  #lists: readonly CandidateList[] = [];
  /** Of lists with a share: the arrays, what is warming in each, and where each ends on the way from 0 to 1. */
  #drawn: readonly (readonly Upstream[])[] = [nobody];
  #warmUps: readonly (SlowStartList | undefined)[] = [undefined];
  #ends = new Float64Array(0);
  #together: readonly Upstream[] | undefined = undefined;

  constructor({ picker, random, slowStart }: CandidatesOptions) {
    this.#picker = picker;
    this.#random = random;
    this.#slowStart = slowStart;
  }

  /** Every list, those included that serve retries only. */
  get lists(): readonly CandidateList[] {
    return this.#lists;
  }

  /** Everybody that a first attempt may be given to. */
  get upstreams(): readonly Upstream[] {
    this.#together ??= this.#drawn.length === 1 ? this.#drawn[0] : this.#drawn.flat();
    return this.#together as readonly Upstream[];
  }

  /** The only list, where nobody in it warms up: the usual case, in which there is nothing to decide. */
  get only(): readonly Upstream[] | undefined {
    return this.#drawn.length === 1 && this.#warmUps[0] === undefined ? this.#drawn[0] : undefined;
  }

  /** Puts the lists together anew. `changed`: upstreams with new data that a picker may read. */
  rebuild(levels: readonly Level[], options: ShareOptions, changed: ReadonlySet<Upstream>): void {
    const slowStart = this.#slowStart;
    slowStart?.sweep();
    const lists = candidateLists(levels, options);
    const settled = slowStart === undefined || slowStart.size === 0 ? [] : settledLists(lists, slowStart);
    this.#all = keepArrays(this.#all, [...lists, ...settled], changed);
    this.#lists = this.#all.slice(0, lists.length);
    const shared = this.#lists.filter(({ share }) => share > 0);
    const warm = new Map(this.#all.slice(lists.length).map((list) => [list.key, list.upstreams]));
    this.#warmUps = shared.map((list) => {
      const members = warm.get(settledKey(list));
      return members === undefined || slowStart === undefined ? undefined : new SlowStartList(list, members, slowStart);
    });
    this.#drawn = shared.length === 0 ? [nobody] : shared.map(({ upstreams }) => upstreams);
    let end = 0;
    this.#ends = Float64Array.from(shared, ({ share }) => {
      end += share;
      return end;
    });
    this.#together = undefined;
    for (const upstreams of [...this.#drawn, ...warm.values()]) {
      if (upstreams !== nobody && this.#announced.has(upstreams)) continue;
      this.#announced.add(upstreams);
      this.#picker.update?.(upstreams);
    }
  }

  /** One for a first attempt. */
  pick(request: MeshRequest): Upstream | undefined {
    const index = this.#drawn.length === 1 ? 0 : this.#draw(request);
    const upstreams = this.#drawn[index] as readonly Upstream[];
    const warmUp = this.#warmUps[index];
    const picked = this.#picker.pick(upstreams, request);
    if (this.#slowStart === undefined || this.#slowStart.size === 0) return picked;
    // What a key has decided stays decided.
    if (picked === undefined || this.#picker.chanceOf?.(request) !== undefined) return picked;
    this.#slowStart.count();
    if (warmUp === undefined) return picked;
    if (!this.#slowStart.has(picked) || warmUp.admits(picked, this.#random())) return picked;
    return this.#picker.pick(warmUp.settled, request) ?? picked;
  }

  /** One that the call has not tried: of the drawn list, else of any with a share, else of the others in order; else any. */
  pickUntried(request: MeshRequest): Upstream | undefined {
    const index = this.#drawn.length === 1 ? 0 : this.#draw(request);
    const upstreams = this.#drawn[index] as readonly Upstream[];
    if (upstreams.length > maxFiltered && this.#picker.chanceOf?.(request) === undefined) {
      for (let draw = 0; draw < maxDraws; draw++) {
        const picked = this.#picker.pick(upstreams, request);
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
    return this.#picker.pick(untried.length > 0 ? untried : upstreams, request);
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
