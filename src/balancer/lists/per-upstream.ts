import type { Upstream } from "../../core/upstream.ts";
import { PerList } from "./per-list.ts";

const none: readonly never[] = [];

/** What a picker keeps per upstream. It survives changes of the set and moves to another list, and goes with the upstream. */
export class PerUpstream<State> {
  readonly #create: () => State;
  readonly #byUpstream = new WeakMap<Upstream, State>();
  readonly #lists = new PerList<readonly State[]>((list) => list.map((upstream) => this.of(upstream)));
  #list: readonly Upstream[] = none;
  #states: readonly State[] = none;

  constructor(create: () => State) {
    this.#create = create;
  }

  /** Picks will be made from this list. */
  update(upstreams: readonly Upstream[]): void {
    this.#list = none;
    this.#states = none;
    this.#lists.announce(upstreams);
  }

  /** The state of `upstreams[index]`: an array access in the lists that picks are made from, a look-up in a part of one. */
  at(upstreams: readonly Upstream[], index: number): State {
    if (upstreams !== this.#list) {
      this.#list = upstreams;
      this.#states = this.#lists.of(upstreams) ?? none;
    }
    return this.#states[index] ?? this.of(upstreams[index] as Upstream);
  }

  of(upstream: Upstream): State {
    let state = this.#byUpstream.get(upstream);
    if (state === undefined) {
      state = this.#create();
      this.#byUpstream.set(upstream, state);
    }
    return state;
  }
}
