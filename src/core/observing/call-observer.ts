import type { Routed } from "../routed.ts";
import { warnOfThrow } from "./fence.ts";

/** The end of a call: its response body has closed, or it failed before. */
export interface CallEnd {
  /** The status of the response that the caller got; `undefined` where the call rejected. */
  readonly status: number | undefined;
  /** The error of the call or of its body; `undefined` for a success. */
  readonly error: unknown;
  /** The code of gRPC of a remote procedure call that was answered, by its HTTP status where no other came; absent for every other request. */
  readonly rpcStatus?: number | undefined;
  /** Whether the caller aborted the call, which is no error. */
  readonly cancelled: boolean;
  /** Number of attempts. */
  readonly attempts: number;
  /** Milliseconds from `mesh.fetch` to the response head, or to the failure. */
  readonly headMs: number;
  /** Milliseconds from `mesh.fetch` to the end of the body. */
  readonly totalMs: number;
}

/** The decision of the routes of a mesh on a call. */
export interface RouteDecision {
  /** `undefined` where no rule matched. */
  readonly routed: Routed | undefined;
  /** The service that the call goes to; `undefined` for the one that was called. */
  readonly service: string | undefined;
}

/** Follows one call. */
export interface CallObserver {
  /**
   * `true`: a call that an instance has answered is not followed further, and `onEnd` is not called for it. Of a failure that a time limit has
   * brought it is told outside of the asynchronous context of the call.
   */
  readonly skipsAnswered?: boolean;
  /** Called where the mesh has routes, when they have decided on the call and before anything is sent. An interceptor may send a call twice. */
  onRouted?(decision: RouteDecision): void;
  /** Called once: the body has closed, or the call failed before. */
  onEnd?(end: CallEnd): void;
}

/** The followers of one call, in the order of the observers that returned them; `undefined` for an observer that does not follow it. */
export type Observation = readonly (CallObserver | undefined)[];

/** Tells the followers of a call what the routes have decided. */
export function tellRouted(observation: Observation | undefined, decision: RouteDecision): void {
  if (observation === undefined) return;
  for (const follower of observation) {
    try {
      follower?.onRouted?.(decision);
    } catch (error) {
      warnOfThrow("onRouted of an observer", error);
    }
  }
}
