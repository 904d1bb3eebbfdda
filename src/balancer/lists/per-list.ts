import type { Upstream } from "../../core/upstream.ts";
import { familyOf } from "./list-family.ts";

/** Number of lists in use at a time, of each family, whose states are handed on: priorities × zones. Beyond it states of new lists begin anew. */
const maxRecent = 16;
/** The same number for all families together. */
const maxRecentOfAll = 128;

interface Entry<State> {
  readonly list: readonly Upstream[];
  readonly family: object | undefined;
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
    const family = familyOf(list);
    // After an empty list no state is handed on.
    if (list.length === 0) this.#recent = this.#recent.filter((entry) => entry.family !== family);
    const known = this.#entries.get(list);
    if (known === undefined) {
      this.#entries.set(list, { list, family, state: undefined, outdated: undefined });
    } else {
      known.outdated = known.state ?? known.outdated;
      known.state = undefined;
    }
  }

  /** The state of a list; `undefined` for a list that was not announced, such as a part of one. */
  of(list: readonly Upstream[]): State | undefined {
    return list === this.#list ? this.#state : this.#find(list);
  }

  /** The states of the lists in use, the newest first, and those of the whole service before those of its parts. */
  *states(): Generator<State> {
    for (const { state } of this.#inOrder()) if (state !== undefined) yield state;
  }

  /** The lists in use, in the same order. */
  lists(): readonly (readonly Upstream[])[] {
    return this.#inOrder().map(({ list }) => list);
  }

  #inOrder(): readonly Entry<State>[] {
    const newestFirst = this.#recent.toReversed();
    return newestFirst.every(({ family }) => family === undefined)
      ? newestFirst
      : newestFirst.sort((one, other) => Number(one.family !== undefined) - Number(other.family !== undefined));
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
    const kin = this.#recent.filter(({ family }) => family === entry.family);
    const before = this.#recent.includes(entry) ? entry : kin.findLast(({ list }) => haveCommonEnd(list, entry.list));
    const isFull = kin.length - Number(before !== undefined) >= maxRecent;
    const oldest = isFull ? kin.find((other) => other !== before) : undefined;
    const others = this.#recent.filter((other) => other !== before && other !== oldest && !isGone(other.list));
    this.#recent = [...others.slice(1 - maxRecentOfAll), entry];
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
