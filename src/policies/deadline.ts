import type { CancelHandler } from "../core/cancellation.ts";
import type { Clock, Timer } from "../core/clock.ts";
import type { CallEndListener, Dispatch, Interceptor, MeshRequest, MeshResponse, OpenCall } from "../core/dispatch.ts";
import { completeAttempts, MeshError } from "../core/errors.ts";
import { headerOf } from "../core/http/response-headers.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { number, orFalse } from "../core/settings/rules.ts";
import { incoming } from "./incoming.ts";

/** What {@link deadline} needs. */
export interface DeadlineOptions {
  /** The limit of a whole call in milliseconds, where the call has none of its own; `false` = no limit. */
  readonly limitOf: (request: MeshRequest) => number | false;
  readonly clock: Clock;
}

/**
 * Bounds the whole call: everything below it and the body. It settles the caller at the deadline, and at the caller's own
 * abort, whatever happens below, and cancels what is still under way. An event stream leaves the deadline at its head,
 * since it has no end to wait for.
 */
export function deadline(options: DeadlineOptions): Interceptor {
  return (next) => (request) => new Promise((resolve) => new BoundedCall(options, request, resolve).send(next));
}

/** One call under its deadline: an object with methods, since a closure for each would be twice as much to hold while it waits. */
class BoundedCall implements CancelHandler, OpenCall {
  readonly #options: DeadlineOptions;
  readonly #request: MeshRequest;
  /** Also with a promise that is rejected: a function for that alone would be held by every call that waits. */
  readonly #settle: (result: MeshResponse | Promise<never>) => void;
  #timer: Timer = undefined;
  /** The caller has been answered or refused. */
  #isSettled = false;
  /** The body of the answer has closed, too. */
  #hasEnded = false;
  #hasListener = false;
  #endListener: CallEndListener | undefined = undefined;

  constructor(options: DeadlineOptions, request: MeshRequest, settle: (result: MeshResponse | Promise<never>) => void) {
    this.#options = options;
    this.#request = request;
    this.#settle = settle;
  }

  send(next: Dispatch): void {
    const request = this.#request;
    const { cancellation } = request;
    cancellation.onCancel(this);
    if (cancellation.cancelled) return;
    const { clock, limitOf } = this.#options;
    const timeoutMs = sooner(request.options.timeoutMs ?? limitOf(request));
    // In place: nothing but the edge has seen the request yet, and a copy would stay as long as the call.
    const own = request as { deadline: number; call: OpenCall };
    own.call = this;
    if (timeoutMs !== false) {
      // The caller that this process is answering waits no longer: nothing is sent.
      if (timeoutMs <= 0) {
        this.#expire(timeoutMs);
        return;
      }
      own.deadline = clock.now() + timeoutMs;
      this.#timer = clock.setTimer(() => this.#expire(timeoutMs), timeoutMs);
    }
    try {
      next(request).then(
        (response) => this.#answer(response),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      // An interceptor of the user's that throws instead of rejecting.
      this.#fail(error);
    }
  }

  onEnd(listener: CallEndListener): boolean {
    if (this.#hasListener) return false;
    this.#hasListener = true;
    if (this.#hasEnded) listener.handleCallEnd();
    else this.#endListener = listener;
    return true;
  }

  handleCancel(reason: unknown): void {
    this.#options.clock.clearTimer(this.#timer);
    if (!this.#isSettled) this.#refuse(reason);
  }

  #expire(timeoutMs: number): void {
    const { service, method, cancellation, attempts } = this.#request;
    const error = new MeshError(
      "ERR_MESH_TIMEOUT",
      `"${service}" did not answer ${method} within the deadline of ${Math.round(timeoutMs)} ms (${this.#nameOf(timeoutMs)})`,
      { service },
    );
    cancellation.cancel(error);
    completeAttempts(error, attempts);
  }

  /** Which of the three limits has passed. */
  #nameOf(timeoutMs: number): string {
    const { options } = this.#request;
    if (timeoutMs === options.timeoutMs) return "mesh.timeoutMs of the call";
    return options.timeoutMs === undefined && timeoutMs === this.#options.limitOf(this.#request)
      ? "timeoutMs"
      : "x-mesh-deadline-ms: the caller that this process is answering waits no longer";
  }

  #answer(response: MeshResponse): void {
    // Too late: nobody gets this response, and its connection must not wait for a reader.
    if (this.#isSettled) {
      response.body.cancel(this.#request.cancellation.reason);
      return;
    }
    this.#isSettled = true;
    if (response.body.complete) this.#end();
    else if (isEventStream(response)) {
      this.#finish();
      response.body.onClose(() => this.#tellEnd());
    } else response.body.onClose(() => this.#end());
    this.#settle(response);
  }

  #fail(error: unknown): void {
    this.#finish();
    if (!this.#isSettled) this.#refuse(error);
  }

  #refuse(reason: unknown): void {
    this.#isSettled = true;
    this.#tellEnd();
    this.#settle(Promise.reject(reason));
  }

  /** The body has closed. */
  #end(): void {
    this.#finish();
    this.#tellEnd();
  }

  #tellEnd(): void {
    this.#hasEnded = true;
    const listener = this.#endListener;
    this.#endListener = undefined;
    listener?.handleCallEnd();
  }

  #finish(): void {
    this.#options.clock.clearTimer(this.#timer);
    this.#request.cancellation.removeListener(this);
  }
}

/** The limit of a call: its own or that of the options, unless the caller that this process is answering stops waiting sooner. */
function sooner(ownMs: number | false): number | false {
  const leftMs = incoming()?.remainingMs() ?? Number.POSITIVE_INFINITY;
  return leftMs < (ownMs === false ? Number.POSITIVE_INFINITY : ownMs) ? Math.max(0, leftMs) : ownMs;
}

/** Media types are compared without regard to case (RFC 9110 §8.3.1). */
function isEventStream(response: MeshResponse): boolean {
  return /^text\/event-stream\s*(;|$)/i.test(headerOf(response, "content-type") ?? "");
}

/** The option of {@link deadline}, for each service. */
export interface TimeoutOption {
  /** The whole call in milliseconds: discovery wait, every attempt, pauses and the body; `false` = no limit. @default 10000 */
  readonly timeoutMs?: number | false;
}

/** The rule of {@link TimeoutOption}. */
export const timeoutOption = optionTable<TimeoutOption>()({ timeoutMs: orFalse(number({ default: 10_000, min: 1, unit: "ms" })) });
