import type { Clock, Random } from "../core/clock.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { Upstream } from "../core/upstream.ts";

/**
 * Chooses the instance for one attempt. It is called synchronously for every attempt, with candidates only: whoever is out
 * of rotation has been left out already, so a picker never filters. No method may throw.
 */
export interface Picker {
  /** One of `upstreams`, or `undefined` when there is none. Must not keep or change the array. */
  pick(upstreams: readonly Upstream[], request: MeshRequest): Upstream | undefined;
  /**
   * Called when the candidates have changed, before the next pick, with every list that picks will be made from: one, or several
   * where priorities or zones share the load. The place to build a ring or a schedule for a list; keep it in a `WeakMap` by list.
   */
  update?(upstreams: readonly Upstream[]): void;
  /**
   * A number from 0 to below 1 that stands in for chance where several lists share the load, so that requests which belong together
   * stay in one of them. Pickers that hash have it; `undefined` for a request without a key.
   */
  chanceOf?(request: MeshRequest): number | undefined;
  /** What the picker knows of one upstream now, for `mesh.explain`: its cost, its effective weight, what it has learnt. */
  explain?(upstream: Upstream): PickerView;
  /**
   * An attempt is about to be sent to `upstream`, which is counted in its `inFlight` already. What it returns learns from the
   * attempt. A picker without it costs an attempt nothing.
   */
  onAttempt?(upstream: Upstream, request: MeshRequest): AttemptLearner | undefined;
  /** A fresh picker for one service. Pickers that keep state per service have it; without it one picker serves all of them. */
  forService?(service: string, context?: PickerContext): Picker;
}

/** Learns from one attempt. Called synchronously; must not throw. */
export interface AttemptLearner {
  /** The response head has come. */
  onHead(response: MeshResponse): void;
  /** Once: the body has closed or the attempt failed before its head. With `undefined`, the error or the caller's abort reason. */
  onEnd(error: unknown): void;
}

/** What a picker knows of one upstream, by name with the unit in it (`latencyMs`, `failureRatio`); `cost`: the lowest is picked. */
export type PickerView = Readonly<Record<string, number | string>>;

/** Time and chance of the mesh, for what a picker's own options leave open, and a way to ask an instance something. */
export interface PickerContext {
  readonly clock: Clock;
  readonly random: Random;
  /** Sends a request to its `upstream` over the service's connections: one attempt, which no retry, breaker or observer sees. */
  readonly send?: Dispatch;
}
