import type { Upstream } from "../../core/upstream.ts";

/** Number of lists in use at a time whose states are handed on: priorities × zones. Beyond it states of new lists begin anew. */
const maxRecent = 16;

interface Entry<State> {
  readonly list: readonly Upstream[];
  state: State | undefined;
  /** The state from before a change of the members of the same array. */
  outdated: State | undefined;
}

/**
 * The state of a picker for each announced list of candidates, such as a turn, a schedule or a ring. The first pick after a change
 * makes it, from the state of the list that the new one replaces; changes in a burst thus cost one. A state is collected with its list.
 * Looking up the same list again costs one comparison.
 */
export class PerList<State> {
  readonly #create: (list: readonly Upstream[], before: State | undefined) => State;
  readonly #entries = new WeakMap<readonly Upstream[], Entry<State>>();
  /** The lists that have been picked from, the newest last; a list takes the place of the one that it replaces. */
  #recent: readonly Entry<State>[] = [];
  #list: readonly Upstream[] | undefined;
  #state: State | undefined;

  constructor(create: (list: readonly Upstream[], before: State | undefined) => State) {
    this.#create = create;
  }

  /** Announces a list that picks will be made from: a new array, or one whose members have changed. */
  announce(list: readonly Upstream[]): void {
    if (list === this.#list || list.length === 0) {
      this.#list = undefined;
      this.#state = undefined;
    }
    // After an empty list no state is handed on.
    if (list.length === 0) this.#recent = [];
    const known = this.#entries.get(list);
    if (known === undefined) {
      this.#entries.set(list, { list, state: undefined, outdated: undefined });
    } else {
      known.outdated = known.state ?? known.outdated;
      known.state = undefined;
    }
  }

  /** The state of a list; `undefined` for a list that was not announced, such as a part of one. */
  of(list: readonly Upstream[]): State | undefined {
    return list === this.#list ? this.#state : this.#find(list);
  }

  /** The states of the lists in use, the newest first. */
  *states(): Generator<State> {
    for (const { state } of this.#recent.toReversed()) if (state !== undefined) yield state;
  }

  /** The lists in use, the newest first. */
  lists(): readonly (readonly Upstream[])[] {
    return this.#recent.map(({ list }) => list).toReversed();
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
    const others = this.#recent.filter((other) => other !== before && !isGone(other.list));
    this.#recent = [...(others.length < maxRecent ? others : others.slice(1)), entry];
    const state = this.#create(entry.list, entry.outdated ?? before?.state ?? before?.outdated);
    entry.outdated = undefined;
    return state;
  }
}

/** A list of which nothing is listed any more is in use nowhere, and would keep its instances in memory. */
function isGone(list: readonly Upstream[]): boolean {
  return list.every(({ removed }) => removed);
}

/** A list replaces one with which it shares an end: members change one by one, so that both ends hardly ever leave at once. */
function haveCommonEnd(one: readonly Upstream[], other: readonly Upstream[]): boolean {
  const [first] = other;
  const last = other.at(-1);
  return first !== undefined && last !== undefined && (one.includes(first) || one.includes(last));
}
