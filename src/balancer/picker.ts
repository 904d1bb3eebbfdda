import type { Clock, Random } from "../core/clock.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { Upstream } from "../core/upstream.ts";

/**
 * Chooses the instance for each attempt. It is called synchronously, with candidates only: instances that are out of rotation have been
 * left out already, so a picker never filters. No method may throw.
 */
export interface Picker {
  /** One of `upstreams`, or `undefined` when the list is empty. Must neither keep nor change the array. */
  pick(upstreams: readonly Upstream[], request: MeshRequest): Upstream | undefined;
  /**
   * Called after the candidates have changed and before the next pick, with every list that picks will be made from: one, or several
   * where priorities or zones share the load. State of a list, such as a ring or a schedule, belongs in a `WeakMap` by list.
   */
  update?(upstreams: readonly Upstream[]): void;
  /**
   * A number from 0 to below 1 in place of a random one where several lists share the load, so that requests with the same key are
   * picked from the same list. `undefined` for a request without a key. Pickers that hash have this method.
   */
  chanceOf?(request: MeshRequest): number | undefined;
  /** The picker's present figures of one upstream, for `mesh.explain`: cost, effective weight, what it has learnt. */
  explain?(upstream: Upstream): PickerView;
  /** Whether it avoids `upstream` for now, so that metrics can count those; cheap, since all are asked at each collection. */
  avoids?(upstream: Upstream): boolean;
  /**
   * Why the last pick was `picked`, and the figures by which it was compared with others. Called for traced calls only, directly after `pick` with
   * the same arguments. `undefined` where the picker cannot tell.
   */
  explainPick?(upstreams: readonly Upstream[], request: MeshRequest, picked: Upstream): PickAccount | undefined;
  /**
   * Called before an attempt is sent to `upstream`, which is counted in its `inFlight` already. The learner that it returns is told
   * how the attempt ends. An attempt costs nothing where a picker lacks this method.
   */
  onAttempt?(upstream: Upstream, request: MeshRequest): AttemptLearner | undefined;
  /** A new picker for one service. Without this method one picker object serves all services. */
  forService?(service: string, context?: PickerContext): Picker;
}

/** Learns from one attempt. Called synchronously; must not throw. */
export interface AttemptLearner {
  /** The response head has arrived. */
  onHead(response: MeshResponse): void;
  /**
   * Called once, when the body has closed or the attempt has failed before its head.
   * @param error the error or the caller's abort reason; `undefined` after a complete body
   */
  onEnd(error: unknown): void;
}

/**
 * Figures of one upstream, by names with units (`latencyMs`, `failureRatio`). Of `cost` the lowest is picked. Two names have a meaning to
 * `mesh.explain`, which shows them apart: `meant` is the part of its list's picks that the upstream is meant to have, in proportion to the others
 * (by default its weight), and `avoided` is why the picker avoids it for now, and when it is tried next.
 */
export type PickerView = Readonly<Record<string, number | string>>;

/** One of the upstreams that a pick has compared, and the figures that it has used. */
export interface ComparedUpstream {
  readonly upstream: Upstream;
  readonly figures: PickerView;
}

/** How a pick was decided. */
export interface PickAccount {
  /** Why this one, in words. */
  readonly reason: string;
  /** Those that were compared; absent where none were. */
  readonly compared?: readonly ComparedUpstream[];
}

/** Clock and random numbers of the mesh, for pickers whose own options leave them open, and a way to send requests to an instance. */
export interface PickerContext {
  readonly clock: Clock;
  readonly random: Random;
  /** Sends a request to its `upstream` over the service's connections, as one attempt that no retry, breaker or observer sees. */
  readonly send?: Dispatch;
}
