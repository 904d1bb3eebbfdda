import type { Upstream } from "../../core/upstream.ts";
import type { CandidateList } from "./candidate-lists.ts";
import type { SlowStart } from "./slow-start.ts";

/** The shares are worked out anew so often on the way through the window: meanwhile the upstreams have become warmer. */
const totalsPerWindow = 100;

/** A list of which some members, but not all, are warming up. */
export class SlowStartList {
  /** Those that are warm: they get what the others are not given. */
  readonly settled: readonly Upstream[];
  readonly #share: number;
  readonly #warming: readonly Upstream[];
  readonly #slowStart: SlowStart;
  readonly #isWeightless: boolean;
  readonly #settledWeight: number;
  #total = 0;
  #totalAt = Number.NEGATIVE_INFINITY;

  constructor(list: CandidateList, settled: readonly Upstream[], slowStart: SlowStart) {
    this.settled = settled;
    this.#share = list.share;
    this.#slowStart = slowStart;
    this.#warming = list.upstreams.filter((upstream) => slowStart.has(upstream));
    this.#isWeightless = list.upstreams.every(({ weight }) => weight === 0);
    this.#settledWeight = settled.reduce((sum, upstream) => sum + this.#weightOf(upstream), 0);
  }

  /** Whether a request goes to `upstream`, which the picker has chosen of the whole list. */
  admits(upstream: Upstream, chance: number): boolean {
    const { now, windowMs } = this.#slowStart;
    if (now - this.#totalAt >= windowMs / totalsPerWindow) {
      this.#total = this.#warming.reduce(
        (sum, each) => sum + this.#weightOf(each) * this.#slowStart.warmth(each, now),
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

/** The list of those that are warm, for each list in which some are and some are not. Nobody is spared in panic. */
export function settledLists(lists: readonly CandidateList[], slowStart: SlowStart): readonly CandidateList[] {
  return lists.flatMap((list) => {
    if (list.share === 0 || list.panic !== "no") return [];
    const settled = list.upstreams.filter((upstream) => !slowStart.has(upstream));
    if (settled.length === 0 || settled.length === list.upstreams.length) return [];
    return [{ ...list, upstreams: settled, key: settledKey(list) }];
  });
}

/** The key of the list of the warm members of `list`. */
export function settledKey({ key }: CandidateList): string {
  return `${key} settled`;
}
