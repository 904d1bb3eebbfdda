import type { BreakerState } from "../breaker-state.ts";
import type { MeshRequest } from "../dispatch.ts";
import type { EjectionRule } from "../ejection-rule.ts";
import type { Endpoint } from "../endpoint.ts";
import type { InstanceState, Upstream } from "../upstream.ts";

/** Why a retry was not made. */
export type RetryDenial = "budget" | "attempts" | "deadline" | "not-safe" | "body";

/** An attempt failed and another one follows. */
export interface RetryEvent {
  readonly type: "retry";
  readonly service: string;
  /** The attempt that failed. */
  readonly request: MeshRequest;
  /** The status or the error code of that attempt. */
  readonly reason: string;
  /** Milliseconds until the next attempt. */
  readonly delayMs: number;
}

/** An attempt failed in a way that is retried in principle, and no other attempt follows. */
export interface RetryDeniedEvent {
  readonly type: "retry-denied";
  readonly service: string;
  /** The attempt that failed. */
  readonly request: MeshRequest;
  readonly denial: RetryDenial;
}

/** An attempt takes longer than `delayMs`, and a second one is sent beside it. */
export interface HedgeEvent {
  readonly type: "hedge";
  readonly service: string;
  readonly request: MeshRequest;
  readonly delayMs: number;
}

/** The second attempt of a hedge answered first, and its answer was taken. */
export interface HedgeWonEvent {
  readonly type: "hedge-won";
  readonly service: string;
  readonly request: MeshRequest;
}

/** The endpoints of a service after an answer of discovery. */
export interface EndpointsUpdate {
  readonly service: string;
  /** All endpoints in use. */
  readonly endpoints: readonly Endpoint[];
  /** Entries of the answer that were dropped, with the reason. */
  readonly rejected: readonly { readonly entry: unknown; readonly reason: string }[];
  /**
   * `true` when the answer was empty or much smaller than the last, so suddenly that what it left out is kept until that is confirmed;
   * also for endpoints remembered from an earlier process (`lastGoodDirectory`) while discovery has not answered yet.
   */
  readonly quarantined: boolean;
}

/** Discovery answered, also when nothing changed. */
export interface EndpointsEvent extends EndpointsUpdate {
  readonly type: "endpoints";
}

/** Discovery failed; the endpoints known so far stay in use. */
export interface DiscoveryErrorEvent {
  readonly type: "discovery-error";
  readonly service: string;
  readonly error: unknown;
}

/** The state of an instance changed: it left the rotation when `former` is `available`, and is back when `state` is. */
export interface InstanceStateEvent {
  readonly type: "instance-state";
  readonly service: string;
  readonly upstream: Upstream;
  readonly state: InstanceState;
  readonly former: InstanceState;
  /** The rule that took the instance out; `undefined` when it is available. */
  readonly rule: EjectionRule | undefined;
}

/** The breaker of a whole service changed its state. */
export interface BreakerEvent {
  readonly type: "breaker";
  readonly service: string;
  readonly state: BreakerState;
}

/** A rare event in a mesh, discriminated by `type`. Calls and attempts, which are not rare, have hooks of their own. */
export type MeshEvent =
  | RetryEvent
  | RetryDeniedEvent
  | HedgeEvent
  | HedgeWonEvent
  | EndpointsEvent
  | DiscoveryErrorEvent
  | InstanceStateEvent
  | BreakerEvent;

/** The member of {@link MeshEvent} with this `type`. */
export type MeshEventOf<Type extends MeshEvent["type"]> = Extract<MeshEvent, { readonly type: Type }>;

/**
 * A handler for each type of event; `undefined` ignores the type. There is a row for each member of {@link MeshEvent}: a new member does
 * not compile until every receiver has a row for it.
 */
export type EventHandlers = { readonly [Type in MeshEvent["type"]]: ((event: MeshEventOf<Type>) => void) | undefined };

/** Hands an event to the handler of its type. */
export function handleEvent(handlers: EventHandlers, event: MeshEvent): void {
  (handlers[event.type] as ((event: MeshEvent) => void) | undefined)?.(event);
}

/** Where the parts of a mesh report events: `events.emit?.({ type: "hedge", … })`. */
export interface EventSink {
  /** `undefined` while no observer takes events: the arguments of `emit?.(…)` are not evaluated then, and no event is made. */
  readonly emit: ((event: MeshEvent) => void) | undefined;
}
