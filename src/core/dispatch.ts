import type { Cancellation } from "./cancellation.ts";
import type { AttemptRecord, MeshError } from "./errors.ts";
import type { RequestBody, ResponseBody } from "./http/body.ts";
import type { RequestHeaders } from "./http/request-headers.ts";
import type { HeaderLines } from "./http/response-headers.ts";
import type { TransferListener } from "./http/transfer-listener.ts";
import type { Observation } from "./observing/call-observer.ts";
import type { DecisionRecorder } from "./observing/call-trace.ts";
import type { Routed } from "./routed.ts";
import type { SendProgress } from "./send-progress.ts";
import type { Upstream } from "./upstream.ts";

/** The order of calls that have to wait for a place: `high` first. Where the queue is full, `low` is refused first. */
export type CallPriority = "high" | "normal" | "low";

/**
 * Options of one call; `init.mesh` of `mesh.fetch` and `mesh.request`. They take precedence over the options of the mesh and of the
 * service.
 */
export interface CallOptions {
  /** Time limit of the call, its retries and its body included, in milliseconds; `false` = no limit. @default the service's */
  readonly timeoutMs?: number | false;
  /** Time limit of each attempt up to its response head, in milliseconds; `false` = no limit. @default the service's */
  readonly attemptTimeoutMs?: number | false;
  /**
   * `true`: the caller asserts that the request is idempotent, so that it may be sent again after an attempt that may have been executed.
   * `false`: it is sent again only where certainly no instance has executed it. @default by `retry.methods`
   */
  readonly idempotent?: boolean;
  /** `false`: one attempt only. @default the service's */
  readonly retry?: false;
  /** The order of calls where `concurrency` makes them wait. @default "normal" */
  readonly priority?: CallPriority;
  /** Requests with equal keys go to the same instance, with the pickers `ringHash` and `maglev`. */
  readonly hashKey?: string;
  /** The template of the path, such as `/users/{id}`, for metrics and spans: few routes make few series. */
  readonly route?: string;
  /**
   * `true`: the decisions of this call are recorded, for `traceOf(response)` and observers: the instances that it saw with their costs, which was
   * chosen, and why, for each attempt. `false`: they are not, whatever `traceRatio`. @default by `traceRatio`
   */
  readonly trace?: boolean;
}

/** The protocol of a remote procedure call, by which the status of a response is found. */
export type RpcProtocol = "grpc" | "grpc-web" | "connect";

/** A request as a remote procedure call. */
export interface RpcCall {
  readonly protocol: RpcProtocol;
  /** Whether messages go on for as long as both sides like: the limits of the service then bound neither the call nor the pauses between its messages. */
  readonly isStream: boolean;
  /** The time limit that the caller has given, in milliseconds, which goes beside that of the service: the sooner one holds. `undefined` = none. */
  readonly timeoutMs: number | undefined;
  /** The header that tells each attempt how long the caller still waits; `undefined` where the request has its own. */
  readonly timeoutHeader: "grpc-timeout" | "connect-timeout-ms" | undefined;
  /**
   * Reads an answer of one message whole, as a part of the attempt: what comes behind the head then counts as the answer does, and a failure that stands
   * in the trailers may be retried. `undefined`: the answer goes up with its head.
   */
  readonly whole: ((response: MeshResponse, request: MeshRequest) => Promise<MeshResponse>) | undefined;
}

/**
 * One request on its way down the pipeline. A layer that changes something passes a copy: `{ ...request, attempt: 2 }`. Every field is always
 * present, since a copy with the same keys takes nanoseconds and one with a new key half a microsecond.
 *
 * Some layers write in place, where no other layer has seen the request yet: those above the users' interceptors fill in `trace`,
 * `observation`, `call` and `deadline`, and those that propagate the deadline and the span set the headers of an attempt.
 */
export interface MeshRequest {
  readonly service: string;
  /** In upper case where it is a standard method. */
  readonly method: string;
  /** Path and query as they go out, starting with `/`. */
  readonly path: string;
  /** The caller wrote `https://` or `wss://`: the request is sent over TLS or not at all. */
  readonly requiresTls: boolean;
  readonly headers: RequestHeaders;
  readonly body: RequestBody;
  /** The options of the call, as its caller gave them. */
  readonly options: CallOptions;
  /** Of the whole call; of one attempt below the layers that make several. */
  readonly cancellation: Cancellation;
  /** The whole call, for layers that need to know when it has ended; `undefined` above the deadline. */
  readonly call: OpenCall | undefined;
  /** The template of the path, such as `/users/{id}`, for metrics and spans; `undefined` where the call has none. */
  readonly route: string | undefined;
  /** The decision of a route on this call; `undefined` above the routes, and for a call that no rule matches. */
  readonly routed: Routed | undefined;
  /** The time at which the call ends at the latest, in milliseconds of `Clock.now()`; `Infinity` without a limit. */
  readonly deadline: number;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** The upstreams that attempts of this call were sent to; the layer that picks them appends. */
  readonly tried: Upstream[];
  /** The attempts of this call that have failed or have a response head; the transport appends. */
  readonly attempts: AttemptRecord[];
  /** The instance that was picked for this attempt; `undefined` above the layer that picks it. */
  readonly upstream: Upstream | undefined;
  /** How far the body of this attempt has gone out; `undefined` without a body, and above the layer that picks the instance. */
  readonly progress: SendProgress | undefined;
  /** Whether the content of the response is decoded for the caller, by its `content-encoding`: set in place by `mesh.fetch`. */
  readonly decodes: boolean;
  /** The listener that is told how the request goes over the wire; `undefined` where none is. */
  readonly transfer: TransferListener | undefined;
  /** The observers of this call. */
  readonly observation: Observation | undefined;
  /** Records the decisions of this call; `undefined` for a call that is not traced. */
  readonly trace: DecisionRecorder | undefined;
  /** The remote procedure call that the request makes; `undefined` for every other request. */
  readonly rpc: RpcCall | undefined;
}

/** Learns that a call has ended. */
export interface CallEndListener {
  /** Called once: the call has failed, or the body of its response has closed. */
  handleCallEnd(): void;
}

/** A call in flight: its caller waits, or the body of its response is open. */
export interface OpenCall {
  /** The configuration of the mesh that the call began by, and ends by; `undefined` where there is only one. */
  readonly configuration: object | undefined;
  /**
   * Calls `listener` once, when the call has failed or its body has closed. Returns `false`, and adds nothing, for a listener that the call has
   * already (an interceptor may send a call twice to one service, or to several), and where the call has ended.
   */
  onEnd(listener: CallEndListener): boolean;
  /**
   * Takes the time limit of the rule that has decided on the call, in place of that of its service, counted from the beginning of the call; `false` = no
   * limit. A limit of the call itself goes before it, and none is longer than the time that the caller of this process still waits. Returns the new deadline.
   */
  limitBy(rule: string, timeoutMs: number | false): number;
  /**
   * The error of the call if its deadline passes now, while no instance has been asked yet; `undefined` where the deadline alone says enough.
   * Set and taken back by the layer that waits.
   */
  waitError?: ((deadline: string) => MeshError) | undefined;
}

/** A response: its head, and its body, which may still be on the wire. */
export interface MeshResponse extends HeaderLines {
  readonly status: number;
  readonly statusText: string;
  readonly body: ResponseBody;
  /**
   * The code of gRPC that the answer to a remote procedure call has told so far: with a stream, it may come in the trailers. `undefined` while none has come,
   * and for every other response.
   */
  readonly rpcStatus?: number | undefined;
  /** The instance that answered; `undefined` for a response made in this process. */
  readonly upstream: Upstream | undefined;
}

/**
 * Sends a request. Resolves with the response as soon as its head is there; rejects with a `MeshError`, or with the reason of the caller's
 * abort.
 */
export type Dispatch = (request: MeshRequest) => Promise<MeshResponse>;

/**
 * A layer around a dispatch: `(next) => (request) => next(request)`. It is composed once, for the whole mesh or for one service; the first
 * in a list is the outermost.
 */
export type Interceptor = (next: Dispatch) => Dispatch;

/** Puts interceptors around `inner`; the first is the outermost. */
export function compose(interceptors: readonly Interceptor[], inner: Dispatch): Dispatch {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), inner);
}
