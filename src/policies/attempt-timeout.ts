import { Cancellation } from "../core/cancellation.ts";
import { type Clock, heldUpMs, setTimerOf, type Timer } from "../core/clock.ts";
import type { Interceptor, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { completeAttempts, MeshError } from "../core/errors.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { atOnce, number, orFalse } from "../core/settings/rules.ts";
import type { TimerHandler } from "../core/shared-timers.ts";

/** The default limit of an attempt, and the clock that measures it. */
export interface AttemptTimeoutOptions {
  /** Time limit of one attempt, where the call has none of its own, in milliseconds; `false` = no limit. */
  readonly timeoutMs: number | false;
  readonly clock: Clock;
}

/**
 * Bounds one attempt up to its response head: the wait for a connection, connecting, and waiting for the response. While a request body goes out,
 * the limit is that of each of its parts, so that a large upload may take its time and an instance that reads nothing is found. undici's own
 * limits are half a second coarse and leave out the wait for a connection. The function begins the attempt of a request; it returns
 * `undefined` where there is no limit.
 */
export function attemptLimit({ timeoutMs: defaultMs, clock }: AttemptTimeoutOptions): (request: MeshRequest) => BoundedAttempt | undefined {
  return (request) => {
    const timeoutMs = request.options.attemptTimeoutMs ?? defaultMs;
    return timeoutMs === false ? undefined : new BoundedAttempt(request, timeoutMs, clock);
  };
}

/** The same for requests that do not go through the pipeline. */
export function attemptTimeout(options: AttemptTimeoutOptions): Interceptor {
  const limitOf = attemptLimit(options);
  return (next) => (request) => {
    const attempt = limitOf(request);
    if (attempt === undefined) return next(request);
    return next({ ...request, cancellation: attempt }).then(
      (response) => {
        attempt.answered(response);
        return response;
      },
      (error: unknown) => {
        attempt.failed();
        throw error;
      },
    );
  };
}

/** One attempt and its limit: a cancellation of its own below that of the call, which goes on when the attempt is given up. */
export class BoundedAttempt extends Cancellation implements TimerHandler {
  readonly #request: MeshRequest;
  /** The cancellation of the call. */
  readonly #call: Cancellation;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** In whole milliseconds, which the engine stores without allocating. */
  #dueAt: number;
  #timer: Timer;

  constructor(request: MeshRequest, timeoutMs: number, clock: Clock) {
    super();
    this.#request = request;
    this.#clock = clock;
    this.#call = request.cancellation;
    this.#call.onCancel(this);
    this.#timeoutMs = timeoutMs;
    this.#dueAt = Math.ceil(clock.now() + timeoutMs);
    this.#timer = setTimerOf(this, clock, timeoutMs);
  }

  /** The response head is there: the limit is met, and the call can still cancel the body. */
  answered({ body }: MeshResponse): void {
    this.#clock.clearTimer(this.#timer);
    if (body.complete) this.#leave();
    else body.onClose(() => this.#leave());
  }

  /** The attempt has ended without a response. */
  failed(): void {
    this.#clock.clearTimer(this.#timer);
    this.#leave();
  }

  /** The cancellation of the call does not concern it any more. */
  #leave(): void {
    this.#call.removeListener(this);
  }

  /** The limit may have passed. */
  handleTimer(): void {
    const timeoutMs = this.#timeoutMs;
    const leftMs = this.#leftOfUpload(timeoutMs);
    if (leftMs > 0) {
      this.#dueAt = Math.ceil(this.#clock.now() + leftMs);
      this.#timer = setTimerOf(this, this.#clock, leftMs);
      return;
    }
    const extraMs = heldUpMs(this.#clock, this.#dueAt, timeoutMs);
    // The response may have arrived and be unread. The instance is not blamed for that: it has the lost time once more.
    if (extraMs === 0) this.#giveUp();
    else this.#timer = this.#clock.setTimer(() => this.#giveUp(), extraMs);
  }

  /**
   * The rest of the limit since the last part of the request body went out, in milliseconds; the whole while the caller's own source is waited
   * for.
   */
  #leftOfUpload(timeoutMs: number): number {
    const { progress } = this.#request;
    if (progress?.awaitsSource) return timeoutMs;
    return progress?.arrivedAt === undefined ? 0 : progress.arrivedAt + timeoutMs - this.#clock.now();
  }

  #giveUp(): void {
    const { service, method, upstream, attempts, options } = this.#request;
    const limit = options.attemptTimeoutMs === undefined ? "attemptTimeoutMs" : "mesh.attemptTimeoutMs of the call";
    const error = new MeshError(
      "ERR_MESH_TIMEOUT",
      `${upstream?.address ?? "the instance"} of "${service}" did not answer ${method} within ${this.#timeoutMs} ms (${limit})`,
      { service },
    );
    this.cancel(error);
    completeAttempts(error, attempts);
  }
}

/** The option of {@link attemptLimit}. */
export interface AttemptTimeoutOption {
  /**
   * Time limit of one attempt up to its response head, in milliseconds; `false` = no limit. It begins anew with each part of a request body that
   * goes out. @default 2000
   */
  readonly attemptTimeoutMs?: number | false;
}

/** The rule of {@link AttemptTimeoutOption}. */
export const attemptTimeoutOption = optionTable<AttemptTimeoutOption>()({
  attemptTimeoutMs: atOnce(orFalse(number({ default: 2_000, min: 1, unit: "ms" }))),
});
