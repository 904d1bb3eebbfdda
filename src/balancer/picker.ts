import type { MeshRequest } from "../core/dispatch.ts";
import type { Upstream } from "../core/upstream.ts";

/**
 * Chooses the instance for one attempt. It is called synchronously for every attempt, with candidates only: whoever is out
 * of rotation has been left out already, so a picker never filters.
 */
export interface Picker {
  /** One of `upstreams`, or `undefined` when there is none. Must not keep or change the array. */
  pick(upstreams: readonly Upstream[], request: MeshRequest): Upstream | undefined;
  /** Called before the next pick when the candidates have changed: the place to build a ring or a schedule. */
  update?(upstreams: readonly Upstream[]): void;
  /** A fresh picker for one service. Pickers that keep state per service have it; without it one picker serves all of them. */
  forService?(service: string): Picker;
}
