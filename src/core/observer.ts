import type { BreakerState } from "./breaker-state.ts";
import type { CallObserver } from "./call-observer.ts";
import type { MeshRequest } from "./dispatch.ts";
import type { EjectionRule } from "./ejection-rule.ts";
import type { Endpoint } from "./endpoint.ts";
import type { AttemptRecord } from "./errors.ts";
import type { MeshReading } from "./reading.ts";
import type { Upstream } from "./upstream.ts";

/** How one attempt ended: when its body closed, or when it failed before. */
export interface AttemptEnd {
  readonly record: AttemptRecord;
  readonly error: unknown;
  /** `true` when it was given up by this side: the caller aborted, or another attempt was faster. */
  readonly cancelled: boolean;
  /** Milliseconds to the end of the body. */
  readonly totalMs: number;
}

/** Follows one attempt. */
export interface AttemptObserver {
  /** Headers to add to the request of this attempt, such as `traceparent`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Runs the attempt, for observers that need it inside a context of theirs. Must call `run` once, synchronously. */
  around?<T>(run: () => T): T;
  /** The body has closed, or the attempt failed before. Called once. */
  onEnd?(end: AttemptEnd): void;
}

/** Why a retry was not made. */
export type RetryDenial = "budget" | "attempts" | "deadline" | "not-safe" | "body";

/** What discovery knows of a service after an update. */
export interface EndpointsUpdate {
  readonly service: string;
  /** All endpoints in use. */
  readonly endpoints: readonly Endpoint[];
  /** Entries of the answer that were dropped, with the reason. */
  readonly rejected: readonly { readonly entry: unknown; readonly reason: string }[];
  /**
   * `true` when the answer was empty or much smaller than the last, so suddenly that what it left out is kept until that is confirmed;
   * also for what was remembered from an earlier process (`lastGoodDirectory`) while discovery has not answered yet.
   */
  readonly quarantined: boolean;
}

/**
 * Metric hooks. Every method is optional and costs nothing when absent; each is called synchronously and must not throw
 * (what it throws is reported as a process warning once and otherwise ignored).
 */
export interface Observer {
  /** The mesh is there, or was already when the observer joined it with `mesh.observe()`. Reading `mesh` is cheap, and current at any time. */
  onOpen?(mesh: MeshReading): void;
  /** A call begins. What it returns follows the call and is handed to `onAttempt`. */
  onCall?(request: MeshRequest): CallObserver | undefined;
  /** An attempt is about to be sent to `upstream`. */
  onAttempt?(request: MeshRequest, upstream: Upstream, call: CallObserver | undefined): AttemptObserver | undefined;
  /** An attempt failed and another follows after `delayMs`. */
  onRetry?(request: MeshRequest, reason: string, delayMs: number): void;
  /** An attempt takes longer than `delayMs`, and a second one is sent beside it. */
  onHedge?(request: MeshRequest, delayMs: number): void;
  /** The second one answered first, and its answer was taken. */
  onHedgeWon?(request: MeshRequest): void;
  /** An attempt failed in a way that is retried in principle, and no other follows. */
  onRetryDenied?(request: MeshRequest, denial: RetryDenial): void;
  /** Discovery answered (also when nothing changed). */
  onEndpoints?(update: EndpointsUpdate): void;
  /** Discovery failed; the endpoints known so far stay in use. */
  onDiscoveryError?(service: string, error: unknown): void;
  /** An upstream went into or out of rotation, or waits for its probe. */
  onAvailability?(upstream: Upstream): void;
  /** An instance was taken out of rotation, by which rule. */
  onEjection?(upstream: Upstream, rule: EjectionRule): void;
  /** The breaker of a service (`upstream` undefined) or of one upstream changed its state. */
  onBreaker?(service: string, state: BreakerState, upstream: Upstream | undefined): void;
  /** The mesh is closed, or the observer has left it: release what was registered elsewhere. */
  onClose?(): void;
}
