import type { Upstream } from "../../core/upstream.ts";

/** Lists that a picker is asked for at a time: priorities × zones. Of more, the states of new ones begin afresh. */
const maxRecent = 16;

interface Entry<State> {
  readonly list: readonly Upstream[];
  state: State | undefined;
  /** The list is the same array, and something about its members has changed. */
  outdated: State | undefined;
}

/**
 * What a picker keeps for each list of candidates that it was told of: a turn, a schedule, a ring. It is made by the first pick
 * after a change, so that changes in a burst cost one, out of that of the list which the new one has come from. It goes with
 * its list; the same list twice in turn costs a comparison.
 */
export class PerList<State> {
  readonly #create: (list: readonly Upstream[], before: State | undefined) => State;
  readonly #entries = new WeakMap<readonly Upstream[], Entry<State>>();
  /** Those that have been picked from, the newest last: each list that has come from another one takes its place. */
  #recent: readonly Entry<State>[] = [];
  #list: readonly Upstream[] | undefined;
  #state: State | undefined;

  constructor(create: (list: readonly Upstream[], before: State | undefined) => State) {
    this.#create = create;
  }

  /** Picks will be made from this list, which is new or whose members have changed. */
  announce(list: readonly Upstream[]): void {
    if (list === this.#list || list.length === 0) {
      this.#list = undefined;
      this.#state = undefined;
    }
    // Nobody is left: nothing is to come of the lists that were.
    if (list.length === 0) this.#recent = [];
    const known = this.#entries.get(list);
    if (known === undefined) {
      this.#entries.set(list, { list, state: undefined, outdated: undefined });
    } else {
      known.outdated = known.state ?? known.outdated;
      known.state = undefined;
    }
  }

  /** The state of a list; `undefined` for one that was not announced, such as a part of one. */
  of(list: readonly Upstream[]): State | undefined {
    return list === this.#list ? this.#state : this.#find(list);
  }

  /** The states of the lists in use, the newest first. */
  *states(): Generator<State> {
    for (const { state } of this.#recent.toReversed()) if (state !== undefined) yield state;
  }

  #find(list: readonly Upstream[]): State | undefined {
    const entry = this.#entries.get(list);
    if (entry === undefined) return undefined;
    entry.state ??= this.#build(entry);
    this.#list = list;
    this.#state = entry.state;
    return entry.state;
  }

  #build(entry: Entry<State>): State {
    const before = this.#recent.includes(entry) ? entry : this.#recent.findLast(({ list }) => haveCommonEnd(list, entry.list));
    const others = this.#recent.filter((other) => other !== before);
    this.#recent = [...(others.length < maxRecent ? others : others.slice(1)), entry];
    const state = this.#create(entry.list, entry.outdated ?? before?.state ?? before?.outdated);
    entry.outdated = undefined;
    return state;
  }
}

/** Changes come one by one: hardly ever do both ends of a list go at once. */
function haveCommonEnd(one: readonly Upstream[], other: readonly Upstream[]): boolean {
  const [first] = other;
  const last = other.at(-1);
  return first !== undefined && last !== undefined && (one.includes(first) || one.includes(last));
}
