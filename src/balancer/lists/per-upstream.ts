import type { Upstream } from "../../core/upstream.ts";
import { PerList } from "./per-list.ts";

const none: readonly never[] = [];

/** The state of a picker for each upstream. It survives updates and moves to other lists, and is collected with its upstream. */
export class PerUpstream<State> {
  readonly #create: () => State;
  readonly #byUpstream = new WeakMap<Upstream, State>();
  readonly #lists = new PerList<readonly State[]>((list) => list.map((upstream) => this.of(upstream)));
  #list: readonly Upstream[] = none;
  #states: readonly State[] = none;

  constructor(create: () => State) {
    this.#create = create;
  }

  /** Announces a list that picks will be made from. */
  update(upstreams: readonly Upstream[]): void {
    this.#list = none;
    this.#states = none;
    this.#lists.announce(upstreams);
  }

  /** The state of `upstreams[index]`: an array access for an announced list, a map look-up for a part of one. */
  at(upstreams: readonly Upstream[], index: number): State {
    if (upstreams !== this.#list) {
      this.#list = upstreams;
      this.#states = this.#lists.of(upstreams) ?? none;
    }
    return this.#states[index] ?? this.of(upstreams[index] as Upstream);
  }

  /** The state of an upstream, made at the first access. */
  of(upstream: Upstream): State {
    let state = this.#byUpstream.get(upstream);
    if (state === undefined) {
      state = this.#create();
      this.#byUpstream.set(upstream, state);
    }
    return state;
  }
}
