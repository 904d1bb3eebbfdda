import type { Upstream } from "../core/upstream.ts";

/** What a picker keeps per upstream. It survives changes of the set, and goes with the upstream. */
export class LearntStates<State> {
  readonly #create: () => State;
  readonly #byUpstream = new WeakMap<Upstream, State>();
  #upstreams: readonly Upstream[] = [];
  #states: readonly State[] = [];

  constructor(create: () => State) {
    this.#create = create;
  }

  /** The candidates have changed. */
  update(upstreams: readonly Upstream[]): void {
    this.#upstreams = upstreams;
    this.#states = upstreams.map((upstream) => this.of(upstream));
  }

  /** The state of `upstreams[index]`: an array access for the candidates of the last update, a look-up for a part of them. */
  at(upstreams: readonly Upstream[], index: number): State {
    const known = upstreams === this.#upstreams ? this.#states[index] : undefined;
    return known ?? this.of(upstreams[index] as Upstream);
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
