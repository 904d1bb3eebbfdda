import type { Upstream } from "../../core/upstream.ts";
import type { CandidateList } from "./candidate-lists.ts";
import type { SlowStart } from "./slow-start.ts";

/** Number of times per window that the shares are computed again, as the ratios of the instances grow. */
const totalsPerWindow = 100;

/** A list of candidates of which some, but not all, are in slow start. */
export class SlowStartList {
  /** The members that are not in slow start: they get what the others are not given. */
  readonly settled: readonly Upstream[];
  readonly #share: number;
  readonly #starting: readonly Upstream[];
  readonly #slowStart: SlowStart;
  readonly #isWeightless: boolean;
  readonly #settledWeight: number;
  #total = 0;
  #totalAt = Number.NEGATIVE_INFINITY;

  constructor(list: CandidateList, settled: readonly Upstream[], slowStart: SlowStart) {
    this.settled = settled;
    this.#share = list.share;
    this.#slowStart = slowStart;
    this.#starting = list.upstreams.filter((upstream) => slowStart.has(upstream));
    this.#isWeightless = list.upstreams.every(({ weight }) => weight === 0);
    this.#settledWeight = settled.reduce((sum, upstream) => sum + this.#weightOf(upstream), 0);
  }

  /**
   * Whether a request goes to `upstream`, which the picker has chosen from the whole list.
   * @param chance a random number from 0 to below 1
   */
  admits(upstream: Upstream, chance: number): boolean {
    const { now, windowMs } = this.#slowStart;
    if (now - this.#totalAt >= windowMs / totalsPerWindow) {
      this.#total = this.#starting.reduce(
        (sum, each) => sum + this.#weightOf(each) * this.#slowStart.ratioOf(each, now),
        this.#settledWeight,
      );
      this.#totalAt = now;
    }
    return this.#slowStart.admits(upstream, (this.#share * this.#weightOf(upstream)) / this.#total, chance);
  }

  #weightOf({ weight }: Upstream): number {
    return this.#isWeightless ? 1 : weight;
  }
}

/** For each list of which some, but not all, members are in slow start, a list of the others. In panic slow start has no effect. */
export function settledLists(lists: readonly CandidateList[], slowStart: SlowStart): readonly CandidateList[] {
  return lists.flatMap((list) => {
    if (list.share === 0 || list.panic !== "no") return [];
    const settled = list.upstreams.filter((upstream) => !slowStart.has(upstream));
    if (settled.length === 0 || settled.length === list.upstreams.length) return [];
    return [{ ...list, upstreams: settled, key: settledKey(list) }];
  });
}

/** The key of the list of the settled members of `list`. */
export function settledKey({ key }: CandidateList): string {
  return `${key} settled`;
}
