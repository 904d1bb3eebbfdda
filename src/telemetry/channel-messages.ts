import type { Phase } from "../core/errors.ts";
import type { BreakerState } from "../core/observing/breaker-state.ts";
import type { PickDecision } from "../core/observing/call-trace.ts";
import type { ConnectionRefusal } from "../core/observing/connection-refusal.ts";
import type { RetryDenial } from "../core/observing/events.ts";
import type { RegistrationState } from "../core/observing/registration-state.ts";
import type { CanaryChange, CanaryPhase } from "../core/observing/routes/canary-reading.ts";
import type { FaultKind, MirrorOmission, MirrorOutcome } from "../core/observing/routes/route-events.ts";
import type { ServingState } from "../core/observing/serving-state.ts";
import type { CallOutcome } from "./attribute-values.ts";

/** The fields of every message about a request. */
export interface RequestMessage {
  readonly service: string;
  readonly method: string;
  /** The path without its query. */
  readonly path: string;
  /** The route that the caller gave, such as `/users/{id}`. */
  readonly route: string | undefined;
}

/** The fields of every message about one instance. */
export interface InstanceMessage {
  readonly service: string;
  /** The endpoint's id. */
  readonly endpoint: string;
  /** `host:port`, or `unix:` and a path. */
  readonly address: string;
}

/** A call has ended: its body has closed, or it failed before. */
export interface CallMessage extends RequestMessage {
  readonly outcome: CallOutcome;
  /** The status that the caller got; `undefined` when the call rejected. */
  readonly status: number | undefined;
  /** As `error.type` in metrics: the status from 500 on, a `MeshErrorCode`, or `_OTHER`. */
  readonly errorType: string | undefined;
  /** The error that ended it: code and message of an error of the mesh, the name of any other. */
  readonly error: string | undefined;
  readonly attempts: number;
  /** Milliseconds to the response head, or to the failure. */
  readonly headMs: number;
  /** Milliseconds to the end of the body. */
  readonly totalMs: number;
}

/** An attempt has ended: its body has closed, or it failed before. */
export interface AttemptMessage extends RequestMessage, InstanceMessage {
  /** 1 for the first of its call. */
  readonly attempt: number;
  readonly zone: string | undefined;
  /** The phase that the attempt reached. */
  readonly phase: Phase;
  readonly status: number | undefined;
  /** As `error.type` in metrics: the status from 400 on, a `MeshErrorCode`, or `_OTHER`. */
  readonly errorType: string | undefined;
  /** As in {@link CallMessage}. */
  readonly error: string | undefined;
  /** `true` when this side gave it up: the caller aborted, or another attempt was faster. */
  readonly cancelled: boolean;
  /** `false` only when it is certain that the instance did not execute it. */
  readonly maybeExecuted: boolean;
  /** Milliseconds to the end of the body. */
  readonly totalMs: number;
}

/** An attempt failed and another one follows. */
export interface RetryMessage extends RequestMessage {
  /** The status or the error code of the attempt that failed. */
  readonly reason: string;
  /** Milliseconds until the next attempt. */
  readonly delayMs: number;
}

/** An attempt failed in a way that is retried in principle, and no other attempt follows. */
export interface RetryDeniedMessage extends RequestMessage {
  readonly denial: RetryDenial;
}

/** A second attempt is sent beside a slow one. */
export interface HedgeMessage extends RequestMessage {
  /** Milliseconds that the first attempt has taken so far. */
  readonly delayMs: number;
}

/** An instance was taken out of rotation. */
export interface EjectionMessage extends InstanceMessage {
  /** `consecutive failures`, `success rate`, `health check` and so on. */
  readonly rule: string;
}

/** An instance went into rotation (`in`) or out of it (`out`), or waits for its probe (`probe`). */
export interface AvailabilityMessage extends InstanceMessage {
  readonly availability: "in" | "out" | "probe";
}

/** A breaker changed its state. */
export interface BreakerMessage {
  readonly service: string;
  readonly state: BreakerState;
  /** The id of the endpoint for the breaker of one instance; `undefined` for the breaker of the service. */
  readonly endpoint: string | undefined;
  readonly address: string | undefined;
}

/** Discovery answered, also when nothing changed. */
export interface DiscoveryUpdateMessage {
  readonly service: string;
  /** Endpoints in use. */
  readonly endpoints: number;
  /** Entries of the answer that were dropped. */
  readonly rejected: number;
  /** `true` when the answer was so much smaller than the last that the endpoints it left out are kept until that is confirmed. */
  readonly quarantined: boolean;
}

/** Discovery failed; the endpoints known so far stay in use. */
export interface DiscoveryErrorMessage {
  readonly service: string;
  /** A `MeshErrorCode`, or `_OTHER`. */
  readonly errorType: string;
  /** As in {@link CallMessage}. */
  readonly error: string;
}

/** A traced call has a response head, or has failed: its decisions. */
export interface TraceMessage extends RequestMessage {
  /** Whether `traceRatio` has chosen the call. */
  readonly sampled: boolean;
  readonly decisions: readonly PickDecision[];
}

/** A canary has begun, has moved, or is decided on in another way. */
export interface CanaryMessage {
  readonly service: string;
  readonly rule: string;
  readonly change: CanaryChange;
  readonly state: CanaryPhase;
  /** The share of the canary from now on, 0 to 1. */
  readonly share: number;
  readonly isAlone: boolean;
  readonly why: string;
}

/** A registration of this process stands differently at a registry. */
export interface RegistrationMessage {
  /** The service that this process is an instance of. */
  readonly service: string;
  /** The id of the instance. */
  readonly instance: string;
  /** The kind of registry and its address. */
  readonly registry: string;
  readonly state: RegistrationState;
  /** Whether the registry had lost the instance, or has given its id to another process. */
  readonly lost: boolean;
  /** As in {@link CallMessage}. */
  readonly error: string | undefined;
}

/** A server of this process is in another state. */
export interface ServingMessage {
  /** The service that the server is an instance of. */
  readonly service: string;
  readonly state: ServingState;
  /** Requests, upgraded connections and tracked work under way. */
  readonly open: number;
  /** Those that were cut off when it stopped. */
  readonly cutOff: number;
}

/** A server with an identity has taken a connection, or has refused it. */
export interface ServerConnectionMessage {
  /** The service that the server is an instance of; `_unregistered` for one that is registered nowhere. */
  readonly service: string;
  readonly peerAddress: string | undefined;
  /** `undefined` where its first byte has not come. */
  readonly encryption: "tls" | "none" | undefined;
  /** `undefined` where it was taken. */
  readonly refusal: ConnectionRefusal | undefined;
  /** As in {@link CallMessage}. */
  readonly error: string | undefined;
}

/** Another configuration is in force, or was refused. */
export interface ConfigurationMessage {
  /** Where it came from: `mesh.reconfigure`, or the path of a file. */
  readonly source: string;
  readonly result: "applied" | "refused";
  /** The names of the options that differ from those before. */
  readonly changed: readonly string[];
  /** The names of options that only a new mesh takes. */
  readonly restart: readonly string[];
  /** As in {@link CallMessage}: for one that was refused. */
  readonly error: string | undefined;
}

/** A copy of a call has ended, or was left out. */
export interface MirrorMessage extends RequestMessage {
  /** The rule that copies the call. */
  readonly rule: string;
  /** `undefined` for a copy that was left out. */
  readonly outcome: MirrorOutcome | undefined;
  /** The reason for which it was left out; `undefined` for one that was sent. */
  readonly omission: MirrorOmission | undefined;
}

/** A call has met a fault that its route makes on purpose. */
export interface FaultMessage extends RequestMessage {
  readonly rule: string;
  readonly fault: FaultKind;
  /** The status of an answer; `undefined` for the other faults. */
  readonly status: number | undefined;
}

/** The messages on `node:diagnostics_channel`, by the name of their channel. */
export interface ChannelMessages {
  readonly "inmesh:call": CallMessage;
  readonly "inmesh:attempt": AttemptMessage;
  readonly "inmesh:retry": RetryMessage;
  readonly "inmesh:retry:denied": RetryDeniedMessage;
  readonly "inmesh:hedge": HedgeMessage;
  /** The second attempt answered first, and its answer was taken. */
  readonly "inmesh:hedge:won": RequestMessage;
  readonly "inmesh:ejection": EjectionMessage;
  readonly "inmesh:availability": AvailabilityMessage;
  readonly "inmesh:breaker": BreakerMessage;
  readonly "inmesh:discovery:update": DiscoveryUpdateMessage;
  readonly "inmesh:discovery:error": DiscoveryErrorMessage;
  readonly "inmesh:trace": TraceMessage;
  /** A canary has begun, has moved, or is decided on in another way. */
  readonly "inmesh:canary": CanaryMessage;
  readonly "inmesh:registration": RegistrationMessage;
  readonly "inmesh:serving": ServingMessage;
  readonly "inmesh:mirror": MirrorMessage;
  readonly "inmesh:fault": FaultMessage;
  readonly "inmesh:server:connection": ServerConnectionMessage;
  readonly "inmesh:configuration": ConfigurationMessage;
}
