import type { Cancellation } from "./cancellation.ts";
import type { AttemptRecord } from "./errors.ts";
import type { RequestBody, ResponseBody } from "./http/body.ts";
import type { RequestHeaders } from "./http/request-headers.ts";
import type { HeaderLines } from "./http/response-headers.ts";
import type { Observation } from "./observing/call-observer.ts";
import type { Upstream } from "./upstream.ts";

/** What waits first where calls have to wait, and is refused last. */
export type CallPriority = "high" | "normal" | "low";

/** What a call may say for itself; the fields of `init.mesh`. */
export interface CallOptions {
  /** Overrides `timeoutMs` for this call, in milliseconds; `false` = no limit. @default the service's */
  readonly timeoutMs?: number | false;
  /** Overrides `attemptTimeoutMs` for this call, in milliseconds; `false` = no limit. @default the service's */
  readonly attemptTimeoutMs?: number | false;
  /** `true`: the caller asserts that the request is idempotent, so that it may be sent again. `false`: it is not sent again once it was sent. @default by `retry.methods` */
  readonly idempotent?: boolean;
  /** `false`: one attempt only. @default the service's */
  readonly retry?: false;
  /** The order of calls where `concurrency` makes them wait. @default "normal" */
  readonly priority?: CallPriority;
  /** Requests with equal keys go to the same instance, for pickers that hash. */
  readonly hashKey?: string;
  /** The route's template, such as `/users/{id}`, for metrics and spans. */
  readonly route?: string;
}

/**
 * One request on its way down the pipeline. Layers pass copies (`{ ...request, attempt: 2 }`); every field is always
 * present, because a copy with the same keys costs nanoseconds and one with a new key half a microsecond.
 * The layers above the users' interceptors fill `observation`, `call` and `deadline` in where they are, since each call has a request of
 * its own, and so does the layer that propagates the deadline with the headers of an attempt.
 */
export interface MeshRequest {
  readonly service: string;
  /** Upper case for the standard methods. */
  readonly method: string;
  /** Path and query as they go out, starting with `/`. */
  readonly path: string;
  readonly headers: RequestHeaders;
  readonly body: RequestBody;
  readonly options: CallOptions;
  /** Of the call above the retry layer, of the attempt below it. */
  readonly cancellation: Cancellation;
  /** The whole call, for parts that must know when it has ended; `undefined` above the deadline. */
  readonly call: OpenCall | undefined;
  /** The route that the call matches, such as `/users/{id}`, for metrics and spans; `undefined` where none was named. */
  readonly route: string | undefined;
  /** When the call ends for good, in the clock's milliseconds; `Infinity` without a limit. */
  readonly deadline: number;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Upstreams that earlier attempts of this call were sent to; the balancer appends to it. */
  readonly tried: Upstream[];
  /** Every attempt of this call that has ended or got its response head; the transport appends to it. */
  readonly attempts: AttemptRecord[];
  /** Set below the balancer. */
  readonly upstream: Upstream | undefined;
  /** What the observers hold for this call; opaque to every other layer. */
  readonly observation: Observation | undefined;
}

/** Told once that a call has ended. */
export interface CallEndListener {
  /** The call has failed, or the body of its response has closed. */
  handleCallEnd(): void;
}

/** A call that has not ended: its caller waits, or the body of its response is open. */
export interface OpenCall {
  /**
   * Tells `listener` when the call has failed or its body has closed, at once where it has. A call has one listener: `false` for a
   * further one, which is not told (an interceptor may send a call twice).
   */
  onEnd(listener: CallEndListener): boolean;
}

/** A response head with a body that is still to come. */
export interface MeshResponse extends HeaderLines {
  readonly status: number;
  readonly statusText: string;
  readonly body: ResponseBody;
  /** The instance that answered. */
  readonly upstream: Upstream | undefined;
}

/** Sends a request and resolves with the response head; rejects with a `MeshError` or with the caller's abort reason. */
export type Dispatch = (request: MeshRequest) => Promise<MeshResponse>;

/** Wraps a dispatch. Composed once per service; the first in a list is the outermost. */
export type Interceptor = (next: Dispatch) => Dispatch;

/** Puts interceptors around `inner`, the first outermost. */
export function compose(interceptors: readonly Interceptor[], inner: Dispatch): Dispatch {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), inner);
}
