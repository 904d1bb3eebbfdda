import type { MeshRequest } from "../dispatch.ts";
import type { EjectionRule } from "../ejection-rule.ts";
import type { Endpoint } from "../endpoint.ts";
import type { LeftOut } from "../left-out.ts";
import type { InstanceState, Upstream } from "../upstream.ts";
import type { BreakerState } from "./breaker-state.ts";
import type { CallTrace } from "./call-trace.ts";
import type { ConnectionRefusal } from "./connection-refusal.ts";
import type { RegistrationState } from "./registration-state.ts";
import type { CanaryChange, CanaryPhase } from "./routes/canary-reading.ts";
import type { FaultEvent, MirrorEvent } from "./routes/route-events.ts";
import type { ServingState } from "./serving-state.ts";

/** The reason for which an attempt that failed was not retried. */
export type RetryDenial = "budget" | "attempts" | "deadline" | "not-safe" | "body" | "pushback";

/** An attempt failed, and another one follows. */
export interface RetryEvent {
  readonly type: "retry";
  readonly service: string;
  /** The attempt that failed. */
  readonly request: MeshRequest;
  /** The status or the error code of the failed attempt. */
  readonly reason: string;
  /** Milliseconds until the next attempt. */
  readonly delayMs: number;
}

/** An attempt failed in a way that is retried in principle, and no further attempt follows. */
export interface RetryDeniedEvent {
  readonly type: "retry-denied";
  readonly service: string;
  /** The attempt that failed. */
  readonly request: MeshRequest;
  readonly denial: RetryDenial;
}

/** An attempt has taken longer than `delayMs`, and a second one is sent beside it. */
export interface HedgeEvent {
  readonly type: "hedge";
  readonly service: string;
  readonly request: MeshRequest;
  readonly delayMs: number;
}

/** The second attempt of a hedge was answered first, and its response was taken. */
export interface HedgeWonEvent {
  readonly type: "hedge-won";
  readonly service: string;
  readonly request: MeshRequest;
}

/** The endpoints of a service, after an answer of discovery. */
export interface EndpointsUpdate {
  readonly service: string;
  /** All endpoints in use. */
  readonly endpoints: readonly Endpoint[];
  /** Entries of the answer that were dropped, with the reason for each. */
  readonly rejected: readonly { readonly entry: unknown; readonly reason: string }[];
  /** Entries that the adapter itself left out, with the reason for each; absent where there are none, or the adapter does not say. */
  readonly leftOut?: readonly LeftOut[];
  /**
   * Whether endpoints are in use that the answer does not list: it was suddenly empty or much smaller than the last one, and has to be
   * confirmed. Also `true` for endpoints of an earlier process (`lastGoodDirectory`), until discovery has answered.
   */
  readonly quarantined: boolean;
}

/** Discovery has answered, possibly without a change. */
export interface EndpointsEvent extends EndpointsUpdate {
  readonly type: "endpoints";
}

/** Discovery has failed; the endpoints known so far stay in use. */
export interface DiscoveryErrorEvent {
  readonly type: "discovery-error";
  readonly service: string;
  readonly error: unknown;
}

/** The state of an instance has changed: it has left the rotation where `former` is `available`, and is back where `state` is. */
export interface InstanceStateEvent {
  readonly type: "instance-state";
  readonly service: string;
  readonly upstream: Upstream;
  readonly state: InstanceState;
  readonly former: InstanceState;
  /** The rule that took the instance out of rotation; `undefined` where `state` is `available`. */
  readonly rule: EjectionRule | undefined;
}

/** The breaker of a service has changed its state. */
export interface BreakerEvent {
  readonly type: "breaker";
  readonly service: string;
  readonly state: BreakerState;
  /** The route whose calls it judges, where a route has a breaker of its own; absent for that of the whole service. */
  readonly rule?: string;
}

/** A traced call has a response head, or has failed: its decisions are known. A redirect that is followed tells of each hop. */
export interface TraceEvent {
  readonly type: "trace";
  readonly service: string;
  readonly request: MeshRequest;
  readonly trace: CallTrace;
}

/** An instance that the mesh keeps registered stands differently at a registry. A failure is told once, not each time it is tried again. */
export interface RegistrationEvent {
  readonly type: "registration";
  /** The service that this process is an instance of. */
  readonly service: string;
  /** The id of the instance. */
  readonly id: string;
  /** The kind of registry and its address: `consul at http://127.0.0.1:8500`. */
  readonly registry: string;
  readonly state: RegistrationState;
  /** Whether the registry had lost the instance, and has taken it again, or has given its id to another process. */
  readonly lost: boolean;
  /** The failure, or the way in which the instance was lost; else `undefined`. */
  readonly error: Error | undefined;
}

/** A canary has begun, has moved, or is decided on in another way. */
export interface CanaryEvent {
  readonly type: "canary";
  /** The service of the canary, or of the first call by its rule where the rule is for several. */
  readonly service: string;
  /** The name of its rule. */
  readonly rule: string;
  /** `went-on`: it holds no longer, at the same step. `state-lost`, `state-found`: the shared state does not answer, or answers again. */
  readonly change: CanaryChange;
  readonly state: CanaryPhase;
  /** The share of the canary from now on, 0 to 1. */
  readonly share: number;
  /** Whether this process decides alone: it has no shared state, or that does not answer. */
  readonly isAlone: boolean;
  /** The reason, in words. */
  readonly why: string;
}

/** A server of this process is in another state. */
export interface ServingEvent {
  readonly type: "serving";
  /** The service that the server is an instance of; `_unregistered` for one that is registered nowhere. */
  readonly service: string;
  readonly state: ServingState;
  /** Requests, upgraded connections and tracked work that are under way. */
  readonly open: number;
  /** Those that were cut off, as they had not ended in time: with the state `stopped`, else 0. */
  readonly cutOff: number;
}

/** A server with an identity has taken a connection, or has refused it before a request of it was read. */
export interface ServerConnectionEvent {
  readonly type: "server-connection";
  /** The service that the server is an instance of; `_unregistered` for one that is registered nowhere. */
  readonly service: string;
  /** The address of the other end; `undefined` for a Unix socket, and where the connection has closed. */
  readonly peerAddress: string | undefined;
  /** Whether it is encrypted, or would have been; `undefined` where its first byte has not come. */
  readonly encryption: "tls" | "none" | undefined;
  /** The reason for which it was refused; `undefined` where it was taken. */
  readonly refusal: ConnectionRefusal | undefined;
  /** The error of a handshake that has failed; else `undefined`. */
  readonly error: Error | undefined;
}

/** Another configuration is in force: calls that begin from now on begin by it. */
export interface ConfiguredEvent {
  readonly type: "configured";
  /** Where it came from: `mesh.reconfigure`, or the path of a file. */
  readonly source: string;
  /** The options that differ from those before, with the groups that they are in: `services.orders.retry.maxAttempts`. */
  readonly changed: readonly string[];
  /** Options that the source has otherwise, and that only a new mesh takes. */
  readonly restart: readonly string[];
}

/** A configuration cannot be used, and the one before stays in force. */
export interface ConfigurationRefusedEvent {
  readonly type: "configuration-refused";
  /** Where it came from: `mesh.reconfigure`, or the path of a file. */
  readonly source: string;
  readonly error: Error;
}

/** A rare event in a mesh, discriminated by `type`. Calls and attempts, which are frequent, have hooks of their own. */
export type MeshEvent =
  | RetryEvent
  | RetryDeniedEvent
  | HedgeEvent
  | HedgeWonEvent
  | EndpointsEvent
  | DiscoveryErrorEvent
  | InstanceStateEvent
  | BreakerEvent
  | TraceEvent
  | RegistrationEvent
  | CanaryEvent
  | ServingEvent
  | ServerConnectionEvent
  | ConfiguredEvent
  | ConfigurationRefusedEvent
  | MirrorEvent
  | FaultEvent;

/** The member of {@link MeshEvent} with this `type`. */
export type MeshEventOf<Type extends MeshEvent["type"]> = Extract<MeshEvent, { readonly type: Type }>;

/**
 * A handler for each type of event; `undefined` ignores the type. Every member of {@link MeshEvent} needs an entry: with a new member, no
 * receiver compiles until it has one.
 */
export type EventHandlers = { readonly [Type in MeshEvent["type"]]: ((event: MeshEventOf<Type>) => void) | undefined };

/** Calls the handler for the type of an event. */
export function handleEvent(handlers: EventHandlers, event: MeshEvent): void {
  (handlers[event.type] as ((event: MeshEvent) => void) | undefined)?.(event);
}

/** Takes the events of the parts of a mesh: `events.emit?.({ type: "hedge", … })`. */
export interface EventSink {
  /** `undefined` while no observer takes events: the argument of `emit?.(…)` is not evaluated then, so that no event is made. */
  readonly emit: ((event: MeshEvent) => void) | undefined;
}
