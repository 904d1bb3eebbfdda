import type { CancelHandler } from "../core/cancellation.ts";
import { type Clock, setTimerOf, type Timer } from "../core/clock.ts";
import type { CallEndListener, MeshRequest, MeshResponse, OpenCall } from "../core/dispatch.ts";
import { completeAttempts, MeshError } from "../core/errors.ts";
import type { ResponseBody } from "../core/http/body.ts";
import { isEventStream, wantsEventStream } from "../core/http/event-stream.ts";
import { headersWith, type RequestHeaders } from "../core/http/request-headers.ts";
import { WrappedBody } from "../core/http/wrapped-body.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { atOnce, number, orFalse } from "../core/settings/rules.ts";
import type { TimerHandler } from "../core/shared-timers.ts";
import type { Receiver, Send, Stage } from "../core/stages/stage.ts";
import { quoted } from "../core/text/clean-text.ts";
import { copyHeader, type Incoming, incoming } from "./incoming.ts";

/** The limit of each call, and the clock that measures it. */
export interface DeadlineOptions {
  /** The time limit of a call, where it has none of its own, in milliseconds; `false` = no limit. */
  readonly limitOf: (request: MeshRequest) => number | false;
  readonly clock: Clock;
  /** The configuration that calls begin by. */
  readonly configuration?: object | undefined;
}

/**
 * Bounds the whole call: all layers below, and the body. At the deadline, and at the abort of the caller, the call settles at once, whatever
 * the layers below do, and what is still in flight is cancelled. The deadline of an event stream that was asked for, or is read as one, ends with
 * its response head, since the stream has no end.
 */
export function deadline(options: DeadlineOptions): Stage {
  return (next) => (request, receiver) => new BoundedCall(options, request, receiver).send(next);
}

/** The rules whose limits calls have. Beside the calls, nearly all of which have none. */
const rules = new WeakMap<BoundedCall, string>();

/** One call and its deadline. It is an object with methods, since a closure for each would take twice the memory while the call waits. */
class BoundedCall implements CancelHandler, TimerHandler, OpenCall, Receiver {
  readonly #options: DeadlineOptions;
  readonly #request: MeshRequest;
  readonly #receiver: Receiver;
  /** In milliseconds; `undefined` without a limit. */
  #timeoutMs: number | undefined = undefined;
  #timer: Timer = undefined;
  /** `settled` once the caller has been told the result, `ended` once the body of the response has closed, or the call has failed. */
  #phase: "waiting" | "settled" | "ended" = "waiting";
  waitError: ((deadline: string) => MeshError) | undefined = undefined;
  /** An array for several: nearly every call has one. */
  #endListeners: CallEndListener | CallEndListener[] | undefined = undefined;

  constructor(options: DeadlineOptions, request: MeshRequest, receiver: Receiver) {
    this.#options = options;
    this.#request = request;
    this.#receiver = receiver;
  }

  send(next: Send): void {
    const request = this.#request;
    const { cancellation } = request;
    cancellation.onCancel(this);
    if (cancellation.cancelled) return;
    const { clock, limitOf } = this.#options;
    const answered = incoming();
    const timeoutMs = sooner(
      withRpcLimit(request, request.options.timeoutMs ?? (request.rpc?.isStream ? false : limitOf(request))),
      answered,
    );
    // In place: only the edge has seen the request yet, and a copy would be held as long as the call.
    const own = request as { deadline: number; call: OpenCall; headers: RequestHeaders };
    own.call = this;
    // All that a copy brings about is one, too, in each process on its way.
    if (answered?.isCopy) own.headers = headersWith(request.headers, { [copyHeader]: "1" });
    if (timeoutMs !== false) {
      this.#timeoutMs = timeoutMs;
      // The caller that this process is answering does not wait any more: nothing is sent.
      if (timeoutMs <= 0) {
        this.handleTimer();
        return;
      }
      own.deadline = clock.now() + timeoutMs;
      this.#timer = setTimerOf(this, clock, timeoutMs);
    }
    try {
      next(request, this);
    } catch (error) {
      // An interceptor of the application that throws instead of rejecting.
      this.failed(error);
    }
  }

  get configuration(): object | undefined {
    return this.#options.configuration;
  }

  onEnd(listener: CallEndListener): boolean {
    const known = this.#endListeners;
    if (this.#phase === "ended" || known === listener || (Array.isArray(known) && known.includes(listener))) return false;
    if (known === undefined) this.#endListeners = listener;
    else if (Array.isArray(known)) known.push(listener);
    else this.#endListeners = [known, listener];
    return true;
  }

  limitBy(rule: string, timeoutMs: number | false): number {
    const { options, cancellation } = this.#request;
    const own = this.#request as { deadline: number };
    if (options.timeoutMs !== undefined || this.#phase !== "waiting" || cancellation.cancelled) return own.deadline;
    const { clock } = this.#options;
    const now = clock.now();
    // Without a limit nothing has kept the beginning, which is now but for interceptors that wait.
    const passedMs = this.#timeoutMs === undefined ? 0 : now - (own.deadline - this.#timeoutMs);
    const limitMs = withRpcLimit(this.#request, timeoutMs);
    const ownMs = limitMs === false ? false : Math.max(0, limitMs - passedMs);
    const leftMs = sooner(ownMs, incoming());
    clock.clearTimer(this.#timer);
    if (leftMs === ownMs) rules.set(this, rule);
    else rules.delete(this);
    this.#timeoutMs = leftMs === false ? undefined : passedMs + leftMs;
    own.deadline = leftMs === false ? Number.POSITIVE_INFINITY : now + leftMs;
    if (leftMs !== false) {
      if (leftMs <= 0) this.handleTimer();
      else this.#timer = setTimerOf(this, clock, leftMs);
    }
    return own.deadline;
  }

  handleCancel(reason: unknown): void {
    this.#options.clock.clearTimer(this.#timer);
    if (this.#phase === "waiting") this.#refuse(reason);
  }

  /** The deadline has passed. */
  handleTimer(): void {
    const timeoutMs = this.#timeoutMs as number;
    const { service, method, cancellation, attempts } = this.#request;
    const limit = `the deadline of ${Math.round(timeoutMs)} ms (${this.#nameOf(timeoutMs)})`;
    const error =
      this.waitError?.(limit) ?? new MeshError("ERR_MESH_TIMEOUT", `"${service}" did not answer ${method} within ${limit}`, { service });
    cancellation.cancel(error);
    completeAttempts(error, attempts);
  }

  /** The name of the limit that has passed. */
  #nameOf(timeoutMs: number): string {
    const { options, rpc } = this.#request;
    const rule = rules.get(this);
    if (rule !== undefined) return `timeoutMs of the route ${quoted(rule)}`;
    if (timeoutMs === options.timeoutMs) return "mesh.timeoutMs of the call";
    if (timeoutMs === rpc?.timeoutMs) return "timeoutMs of the call";
    return options.timeoutMs === undefined && timeoutMs === this.#options.limitOf(this.#request)
      ? "timeoutMs"
      : "x-mesh-deadline-ms: the caller that this process is answering waits no longer";
  }

  answered(response: MeshResponse): void {
    // Too late: the response has no reader, for which its connection must not wait.
    if (this.#phase !== "waiting") {
      response.body.cancel(this.#request.cancellation.reason);
      return;
    }
    if (typeof response?.body?.onClose !== "function") {
      // What may be in flight below the interceptor that has answered so ends, too.
      this.#request.cancellation.cancel(notAResponse(this.#request, response));
      return;
    }
    this.#phase = "settled";
    if (response.body.complete) this.#end();
    else response.body.onClose(() => this.#end());
    this.#receiver.answered(!response.body.complete && isEventStream(response) ? this.#eventStream(response) : response);
  }

  /** An event stream has no end: the deadline of one that its caller has asked for ends here, or when it is read as a stream. */
  #eventStream(response: MeshResponse): MeshResponse {
    const wants = wantsEventStream(this.#request.headers);
    if (wants === "no") return response;
    const release = () => this.#options.clock.clearTimer(this.#timer);
    if (wants === "asked") {
      release();
      return response;
    }
    const { status, statusText, headers, upstream, body } = response;
    return { status, statusText, headers, upstream, body: new MaybeEventStream(body, release) };
  }

  failed(error: unknown): void {
    this.#finish();
    if (this.#phase === "waiting") this.#refuse(error);
  }

  #refuse(reason: unknown): void {
    this.#tellEnd();
    this.#receiver.failed(reason);
  }

  /** The body of the response has closed. */
  #end(): void {
    this.#finish();
    this.#tellEnd();
  }

  #tellEnd(): void {
    this.#phase = "ended";
    const listeners = this.#endListeners;
    this.#endListeners = undefined;
    if (Array.isArray(listeners)) for (const listener of listeners) listener.handleCallEnd();
    else listeners?.handleCallEnd();
  }

  #finish(): void {
    this.#options.clock.clearTimer(this.#timer);
    this.#request.cancellation.removeListener(this);
  }
}

function notAResponse({ service }: MeshRequest, value: unknown): TypeError {
  const kind = value === null ? "null" : typeof value === "object" ? "an object without a body" : `a value of the type ${typeof value}`;
  return new TypeError(`an interceptor of a call to "${service}" answered with ${kind} instead of a response`);
}

/** The limit of a call with the one that the caller of a remote procedure has given beside it. */
function withRpcLimit({ rpc }: MeshRequest, limitMs: number | false): number | false {
  const { timeoutMs } = rpc ?? {};
  return timeoutMs !== undefined && (limitMs === false || timeoutMs < limitMs) ? timeoutMs : limitMs;
}

/** The limit of a call: its own or that of the options, or the time that the caller of this process still waits where that is less. */
function sooner(ownMs: number | false, answered: Incoming | undefined): number | false {
  const leftMs = answered?.remainingMs() ?? Number.POSITIVE_INFINITY;
  return leftMs < (ownMs === false ? Number.POSITIVE_INFINITY : ownMs) ? Math.max(0, leftMs) : ownMs;
}

/** The body of an event stream for which a caller has not asked by name: its deadline ends when it is read as a stream. */
class MaybeEventStream extends WrappedBody {
  readonly #release: () => void;

  constructor(inner: ResponseBody, release: () => void) {
    super(inner);
    this.#release = release;
  }

  override text(): Promise<string> {
    return this.inner.text();
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.inner.bytes();
  }

  stream(purpose?: "collect"): ReadableStream<Uint8Array<ArrayBuffer>> {
    if (purpose === undefined) this.#release();
    return this.inner.stream(purpose);
  }
}

/** The option of {@link deadline}, which services may have of their own. */
export interface TimeoutOption {
  /**
   * Time limit of a whole call, in milliseconds: the wait for discovery, all attempts, the pauses between them and the body; `false` = no
   * limit. @default 10000
   */
  readonly timeoutMs?: number | false;
}

/** The rule of {@link TimeoutOption}. */
export const timeoutOption = optionTable<TimeoutOption>()({ timeoutMs: atOnce(orFalse(number({ default: 10_000, min: 1, unit: "ms" }))) });
