import type { Clock, Random } from "../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { Upstream } from "../core/upstream.ts";

/**
 * Chooses the instance for one attempt. It is called synchronously for every attempt, with candidates only: whoever is out
 * of rotation has been left out already, so a picker never filters. No method may throw.
 */
export interface Picker {
  /** One of `upstreams`, or `undefined` when there is none. Must not keep or change the array. */
  pick(upstreams: readonly Upstream[], request: MeshRequest): Upstream | undefined;
  /** Called before the next pick when the candidates have changed: the place to build a ring or a schedule. */
  update?(upstreams: readonly Upstream[]): void;
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

/** Time and chance of the mesh, for what a picker's own options leave open. */
export interface PickerContext {
  readonly clock: Clock;
  readonly random: Random;
}
