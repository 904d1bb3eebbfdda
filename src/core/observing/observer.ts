import type { MeshRequest } from "../dispatch.ts";
import type { AttemptRecord } from "../errors.ts";
import type { Upstream } from "../upstream.ts";
import type { CallObserver } from "./call-observer.ts";
import type { MeshEvent } from "./events.ts";
import type { MeshReading } from "./reading.ts";

/** How one attempt ended: when its body closed, or when it failed before. */
export interface AttemptEnd {
  readonly record: AttemptRecord;
  /** The error that ended the attempt or its body; `undefined` for a success. */
  readonly error: unknown;
  /** `true` when this side gave the attempt up: the caller aborted, or another attempt was faster. */
  readonly cancelled: boolean;
  /** Milliseconds to the end of the body. */
  readonly totalMs: number;
}

/** Follows one attempt. */
export interface AttemptObserver {
  /** Headers to add to the request of this attempt, such as `traceparent`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Runs the attempt inside a context of the observer. Must call `run` once, synchronously. */
  around?<T>(run: () => T): T;
  /** The body has closed, or the attempt failed before. Called once. */
  onEnd?(end: AttemptEnd): void;
}

/**
 * Hooks that follow what a mesh does. Each is optional and costs nothing when absent; each is called synchronously and must not throw
 * (an error is reported as a process warning once and otherwise ignored).
 */
export interface Observer {
  /** The mesh was made, or the observer joined it with `mesh.observe()`. Reading `mesh` is cheap, and current at any time. */
  onOpen?(mesh: MeshReading): void;
  /** A call begins. The result follows the call and is handed to `onAttempt`. */
  onCall?(request: MeshRequest): CallObserver | undefined;
  /** An attempt is about to be sent to `upstream`. */
  onAttempt?(request: MeshRequest, upstream: Upstream, call: CallObserver | undefined): AttemptObserver | undefined;
  /** Something rare happened: a retry, a hedge, an answer of discovery, another state of an instance or of a breaker. */
  readonly onEvent?: ((event: MeshEvent) => void) | undefined;
  /** The mesh is closed, or the observer has left it: release what was registered elsewhere. */
  onClose?(): void;
}
