import type { MeshRequest } from "../../core/dispatch.ts";
import type { Receiver } from "../../core/stages/stage.ts";

/** The weights of a split that change while it is in use. */
export interface LiveWeights {
  /** The weights of the targets in their order; another array after each change, so that a decision sees all of a change or nothing of it. */
  readonly weights: readonly number[];
  /**
   * Follows a call that was given to a target. Called once for each call of the split, directly after the decision.
   * @param target the place of the target
   * @param key a hash of the value that keeps calls together, from 0 to below 1; `undefined` for a decision by chance
   * @returns the receiver to hand on, which tells `receiver` the same
   */
  follow(request: MeshRequest, target: number, key: number | undefined, receiver: Receiver): Receiver;
}
