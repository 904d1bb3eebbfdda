import type { BreakerState } from "../core/breaker-state.ts";
import type { Phase } from "../core/errors.ts";
import type { RetryDenial } from "../core/observer.ts";
import type { Availability } from "../core/upstream.ts";
import type { CallOutcome } from "./values.ts";

/** What every event about a request has. */
export interface RequestEvent {
  readonly service: string;
  readonly method: string;
  /** The path without its query. */
  readonly path: string;
  /** The route that the caller gave, such as `/users/{id}`. */
  readonly route: string | undefined;
}

/** What every event about one instance has. */
export interface InstanceEvent {
  readonly service: string;
  /** The endpoint's id. */
  readonly endpoint: string;
  /** `host:port`, or `unix:` and a path. */
  readonly address: string;
}

/** A call has ended: its body has closed, or it failed before. */
export interface CallEvent extends RequestEvent {
  readonly outcome: CallOutcome;
  /** The status that the caller got; `undefined` when the call rejected. */
  readonly status: number | undefined;
  /** What metrics have as `error.type`: the status from 500 on, a `MeshErrorCode`, or `_OTHER`. */
  readonly errorType: string | undefined;
  /** What it failed with: code and message of an error of the mesh, the name of any other. */
  readonly error: string | undefined;
  readonly attempts: number;
  /** Milliseconds to the response head, or to the failure. */
  readonly headMs: number;
  /** Milliseconds to the end of the body. */
  readonly totalMs: number;
}

/** An attempt has ended: its body has closed, or it failed before. */
export interface AttemptEvent extends RequestEvent, InstanceEvent {
  /** 1 for the first of its call. */
  readonly attempt: number;
  readonly zone: string | undefined;
  /** How far it got. */
  readonly phase: Phase;
  readonly status: number | undefined;
  /** What metrics have as `error.type`: the status from 400 on, a `MeshErrorCode`, or `_OTHER`. */
  readonly errorType: string | undefined;
  /** As in {@link CallEvent}. */
  readonly error: string | undefined;
  /** `true` when this side gave it up: the caller aborted, or another attempt was faster. */
  readonly isCancelled: boolean;
  /** `false` only when it is certain that the instance did not execute it. */
  readonly maybeExecuted: boolean;
  /** Milliseconds to the end of the body. */
  readonly totalMs: number;
}

/** An attempt failed and another follows. */
export interface RetryEvent extends RequestEvent {
  /** The status or the error code of the attempt that failed. */
  readonly reason: string;
  /** Milliseconds until it follows. */
  readonly delayMs: number;
}

/** An attempt failed in a way that is retried in principle, and no other follows. */
export interface RetryDeniedEvent extends RequestEvent {
  readonly denial: RetryDenial;
}

/** A second attempt is sent beside a slow one. */
export interface HedgeEvent extends RequestEvent {
  /** The slow one takes longer than so many milliseconds. */
  readonly delayMs: number;
}

/** An instance was taken out of rotation. */
export interface EjectionEvent extends InstanceEvent {
  /** `consecutive failures`, `success rate`, `health check` and so on. */
  readonly rule: string;
}

/** An instance went into or out of rotation, or waits for its probe. */
export interface AvailabilityEvent extends InstanceEvent {
  readonly availability: Availability;
}

/** A breaker changed its state. */
export interface BreakerEvent {
  readonly service: string;
  readonly state: BreakerState;
  /** The id of the endpoint whose breaker it is; `undefined` for that of the service. */
  readonly endpoint: string | undefined;
  readonly address: string | undefined;
}

/** Discovery answered, also when nothing changed. */
export interface DiscoveryUpdateEvent {
  readonly service: string;
  /** Endpoints in use. */
  readonly endpoints: number;
  /** Entries of the answer that were dropped. */
  readonly rejected: number;
  /** `true` when the answer was so much smaller than the last that what it left out is kept until that is confirmed. */
  readonly isQuarantined: boolean;
}

/** Discovery failed; the endpoints known so far stay in use. */
export interface DiscoveryErrorEvent {
  readonly service: string;
  /** A `MeshErrorCode`, or `_OTHER`. */
  readonly errorType: string;
  /** As in {@link CallEvent}. */
  readonly error: string;
}

/** What is published on `node:diagnostics_channel`, by the name of the channel. */
export interface MeshEvents {
  readonly "inmesh:call": CallEvent;
  readonly "inmesh:attempt": AttemptEvent;
  readonly "inmesh:retry": RetryEvent;
  readonly "inmesh:retry:denied": RetryDeniedEvent;
  readonly "inmesh:hedge": HedgeEvent;
  /** The second attempt answered first, and its answer was taken. */
  readonly "inmesh:hedge:won": RequestEvent;
  readonly "inmesh:ejection": EjectionEvent;
  readonly "inmesh:availability": AvailabilityEvent;
  readonly "inmesh:breaker": BreakerEvent;
  readonly "inmesh:discovery:update": DiscoveryUpdateEvent;
  readonly "inmesh:discovery:error": DiscoveryErrorEvent;
}
