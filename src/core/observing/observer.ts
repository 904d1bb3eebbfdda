import type { MeshRequest } from "../dispatch.ts";
import type { AttemptRecord } from "../errors.ts";
import type { Upstream } from "../upstream.ts";
import type { CallObserver } from "./call-observer.ts";
import type { MeshEvent } from "./events.ts";
import type { MeshReading } from "./reading.ts";
import type { ServedObserver, ServedRequest } from "./served-request.ts";

/** The end of an attempt: its response body has closed, or it failed before. */
export interface AttemptEnd {
  readonly record: AttemptRecord;
  /** The error of the attempt or of its body; `undefined` for a success. */
  readonly error: unknown;
  /** The code of gRPC of a remote procedure call that was answered, by its HTTP status where no other came; absent for every other request. */
  readonly rpcStatus?: number | undefined;
  /** Whether this process gave the attempt up: its caller aborted, or another attempt was faster. */
  readonly cancelled: boolean;
  /** Milliseconds from its beginning to the end of the body, or to the failure. */
  readonly totalMs: number;
}

/** Follows one attempt. */
export interface AttemptObserver {
  /** Headers to add to the request of this attempt, such as `traceparent`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Runs the attempt within a context of the observer. Must call `run` once, synchronously, and return its result. */
  around?<T>(run: () => T): T;
  /** Called once: the body has closed, or the attempt failed before. */
  onEnd?(end: AttemptEnd): void;
}

/**
 * Hooks that follow a mesh. Each is optional, costs nothing where it is absent, is called synchronously and should not throw: an error
 * changes nothing for calls, and is reported once by a process warning.
 */
export interface Observer {
  /** The mesh was made, or the observer was added by `mesh.observe()`. `mesh` gives the numbers of the moment in which it is read. */
  onOpen?(mesh: MeshReading): void;
  /** A call begins. The result follows the call and is passed to `onAttempt`. */
  onCall?(request: MeshRequest): CallObserver | undefined;
  /** An attempt is about to be sent to `upstream`. The result follows the attempt. */
  onAttempt?(request: MeshRequest, upstream: Upstream, call: CallObserver | undefined): AttemptObserver | undefined;
  /**
   * A copy of a call (`mirror` of its route) is about to be sent to `upstream`: no attempt of the call. `call` is what follows the call that is copied. The
   * result follows the copy.
   */
  onCopy?(request: MeshRequest, upstream: Upstream, call: CallObserver | undefined): AttemptObserver | undefined;
  /** A request has arrived at a server of this process that reports to the mesh. The result follows the request. */
  onServe?(request: ServedRequest): ServedObserver | undefined;
  /** A rare event: a retry, a hedge, an answer of discovery, a new state of an instance or of a breaker. */
  readonly onEvent?: ((event: MeshEvent) => void) | undefined;
  /** The mesh has been closed, or the observer was removed: release what it has registered elsewhere. */
  onClose?(): void;
}
