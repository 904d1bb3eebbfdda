import { AsyncContext } from "../../core/async-context.ts";
import type { Clock } from "../../core/clock.ts";
import type { Interceptor, MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { isMeshError } from "../../core/errors.ts";
import type { CloseListener, ResponseBody } from "../../core/http/body.ts";
import { headersWith, type RequestHeaders } from "../../core/http/request-headers.ts";
import type { CallEnd, Observation } from "../../core/observing/call-observer.ts";
import type { AttemptEnd, AttemptObserver } from "../../core/observing/observer.ts";
import { shownRpcStatus } from "../../core/rpc/rpc-outcome.ts";
import { dispatchOf, type Receiver, type Stage, settleWith } from "../../core/stages/stage.ts";
import type { Observers } from "./observers.ts";

/** Reports whole calls. The outermost layer: it sees the result and the duration that the caller sees. */
export function observeCalls(observers: Observers, clock: Clock): Stage {
  return (next) => {
    const dispatch = dispatchOf(next);
    return (request, receiver) => {
      const observation = observers.followCall(request);
      if (observation === undefined) {
        next(request, receiver);
        return;
      }
      // In place: only the edge has seen the request yet, and a copy would live as long as the call.
      (request as { observation: Observation }).observation = observation;
      const call = new ObservedCall({ observers, clock, request, observation, receiver });
      if (call.skipsAnswered) next(request, call);
      // By a promise: observers are told in the asynchronous context of the call, also of an end that a timer brings.
      else settleWith(dispatch(request), call);
    };
  };
}

interface ObservedParts {
  readonly observers: Observers;
  readonly clock: Clock;
  readonly request: MeshRequest;
  readonly observation: Observation;
  readonly receiver: Receiver;
}

class ObservedCall implements Receiver {
  /** Whether no observer wants anything of a call that an instance has answered. */
  readonly skipsAnswered: boolean;
  readonly #observers: Observers;
  readonly #clock: Clock;
  readonly #request: MeshRequest;
  readonly #observation: Observation;
  readonly #receiver: Receiver;
  readonly #startedAt: number;

  constructor({ observers, clock, request, observation, receiver }: ObservedParts) {
    this.skipsAnswered = observation.every((follower) => follower === undefined || follower.skipsAnswered === true);
    this.#observers = observers;
    this.#clock = clock;
    this.#request = request;
    this.#observation = observation;
    this.#receiver = receiver;
    this.#startedAt = clock.now();
  }

  answered(response: MeshResponse): void {
    if (!this.skipsAnswered || this.#request.attempts.length === 0) this.#followBody(response);
    this.#receiver.answered(response);
  }

  failed(error: unknown): void {
    const ms = this.#elapsedMs();
    this.#end(undefined, { error, headMs: ms, totalMs: ms, cancelled: isAborted(this.#request, error) });
    this.#receiver.failed(error);
  }

  #followBody(response: MeshResponse): void {
    const { body } = response;
    const headMs = this.#elapsedMs();
    if (body.complete && body.content === undefined) this.#end(response, { error: undefined, headMs, totalMs: headMs, cancelled: false });
    else followEnd(body, (error) => this.#end(response, { error, headMs, totalMs: this.#elapsedMs(), cancelled: isGivenUp(error) }));
  }

  #end(response: MeshResponse | undefined, { error, cancelled, headMs, totalMs }: Omit<CallEnd, "status" | "attempts">): void {
    const attempts = this.#request.attempts.length;
    const { rpc } = this.#request;
    const end: CallEnd = { status: response?.status, error, cancelled, attempts, headMs, totalMs };
    this.#observers.ended(this.#observation, rpc === undefined ? end : { ...end, rpcStatus: rpcStatusAt(response, error) });
  }

  #elapsedMs(): number {
    return this.#clock.now() - this.#startedAt;
  }
}

/** Reports attempts. The innermost layer: it sees each attempt as the wire did it. */
export function observeAttempts(observers: Observers, clock: Clock): Interceptor {
  return (next) => (request) => {
    const followers = request.upstream && observers.followAttempt(request, request.upstream);
    if (followers === undefined) return next(request);
    addHeaders(request, followers);
    const isFollowed = followers.some(({ onEnd }) => onEnd !== undefined);
    const attempt = isFollowed ? new ObservedAttempt(observers, clock, request, followers) : undefined;
    const wantsAround = followers.some((follower) => follower.around !== undefined);
    const head = wantsAround ? observers.around(followers, () => next(request)) : next(request);
    if (attempt === undefined) return head;
    return head.then(
      (response) => attempt.answered(response),
      (error: unknown) => attempt.failed(error),
    );
  };
}

/** Reports copies of calls, which are attempts of no call: spans may follow them, and nothing counts them as attempts. */
export function observeCopies(observers: Observers): Interceptor {
  return (next) => (request) => {
    const followers = request.upstream && observers.followCopy(request, request.upstream);
    if (followers === undefined) return next(request);
    addHeaders(request, followers);
    const end = inThisContext((error) => {
      const record = request.attempts.at(-1);
      if (record !== undefined) observers.ended(followers, { record, error, cancelled: isGivenUp(error), totalMs: record.ms });
    });
    return observers
      .around(followers, () => next(request))
      .then(
        (response) => {
          response.body.onClose(end);
          return response;
        },
        (error: unknown) => {
          end(error);
          throw error;
        },
      );
  };
}

class ObservedAttempt {
  readonly #observers: Observers;
  readonly #clock: Clock;
  readonly #request: MeshRequest;
  readonly #followers: readonly AttemptObserver[];
  readonly #startedAt: number;
  /** Number of records when it began. A response discarded for a retry closes after the next attempt has got its record. */
  readonly #recordsBefore: number;

  constructor(observers: Observers, clock: Clock, request: MeshRequest, followers: readonly AttemptObserver[]) {
    this.#observers = observers;
    this.#clock = clock;
    this.#request = request;
    this.#followers = followers;
    this.#startedAt = clock.now();
    this.#recordsBefore = request.attempts.length;
  }

  answered(response: MeshResponse): MeshResponse {
    if (response.body.complete) this.#end(undefined, false, response);
    else response.body.onClose(inThisContext((error) => this.#end(error, isGivenUp(error), response)));
    return response;
  }

  failed(error: unknown): never {
    this.#end(error, isAborted(this.#request, error));
    throw error;
  }

  #end(error: unknown, cancelled: boolean, response?: MeshResponse): void {
    const { attempts, upstream, rpc } = this.#request;
    // By its instance: a hedge beside it may have got its record first.
    const record = attempts.find(({ endpoint }, index) => index >= this.#recordsBefore && endpoint === upstream?.id);
    if (record === undefined) return;
    const end: AttemptEnd = { record, error, cancelled, totalMs: this.#clock.now() - this.#startedAt };
    this.#observers.ended(this.#followers, rpc === undefined ? end : { ...end, rpcStatus: rpcStatusAt(response, error) });
  }
}

/** The code of gRPC at the end of a response; one that has failed before it told one has none. */
function rpcStatusAt(response: MeshResponse | undefined, error: unknown): number | undefined {
  return error === undefined ? shownRpcStatus(response) : response?.rpcStatus;
}

/** In place, as for the headers of the deadline: another copy would be held as long as the attempt. */
function addHeaders(request: MeshRequest, followers: readonly AttemptObserver[]): void {
  let { headers } = request;
  for (const follower of followers) if (follower.headers !== undefined) headers = headersWith(headers, follower.headers);
  if (headers !== request.headers) (request as { headers: RequestHeaders }).headers = headers;
}

/** Tells the end of the body of a call: with its error, or, where its content is decoded by its reader, with that of the decoding, which may come after the last byte. */
function followEnd(body: ResponseBody, listener: (error: unknown) => void): void {
  const inContext = inThisContext(listener);
  body.onClose((error) => {
    if (error !== undefined || body.content === undefined) inContext(error);
    else body.content.onSettled(inContext);
  });
}

/** A listener in the asynchronous context of the call: a body closes in that of its connection, or of none. */
function inThisContext(listener: CloseListener): CloseListener {
  const context = new AsyncContext();
  return (error) => context.run(() => listener(error));
}

/** A body that closed with an error of another kind than the mesh's was given up by its reader, which is no failure. */
function isGivenUp(error: unknown): boolean {
  return error !== undefined && !isMeshError(error);
}

/** Whether the caller aborted: the error is its own reason. A time limit of the mesh is a failure. */
function isAborted(request: MeshRequest, error: unknown): boolean {
  return request.cancellation.cancelled && !isMeshError(error);
}
