import { Cancellation } from "../core/cancellation.ts";
import type { Clock, Timer } from "../core/clock.ts";
import type { Interceptor, MeshRequest } from "../core/dispatch.ts";
import { completeAttempts, MeshError } from "../core/errors.ts";
import { type LayerParts, layer } from "../core/layer.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { number, orFalse } from "../core/settings/rules.ts";

/** The default limit of an attempt, and the clock that measures it. */
export interface AttemptTimeoutOptions {
  /** Time limit of one attempt, where the call has none of its own, in milliseconds; `false` = no limit. */
  readonly timeoutMs: number | false;
  readonly clock: Clock;
}

/**
 * Bounds one attempt up to its response head: the wait for a connection, connecting, sending, and waiting for the response. undici's own
 * limits are half a second coarse and leave out the wait for a connection.
 */
export function attemptTimeout({ timeoutMs: defaultMs, clock }: AttemptTimeoutOptions): Interceptor {
  return (next) => (request) => {
    const timeoutMs = request.options.attemptTimeoutMs ?? defaultMs;
    if (timeoutMs === false) return next(request);
    const attempt = new BoundedAttempt(request, timeoutMs, clock);
    return next({ ...request, cancellation: attempt }).then(
      (response) => {
        attempt.stopTimer();
        response.body.onClose(() => attempt.leave());
        return response;
      },
      (error: unknown) => {
        attempt.stopTimer();
        attempt.leave();
        throw error;
      },
    );
  };
}

/** In milliseconds. A timer that fires later than this was delayed by this process, which has read no response meanwhile. */
const lateMs = 20;

/** One attempt and its limit: a cancellation of its own below that of the call, which goes on when the attempt is given up. */
class BoundedAttempt extends Cancellation {
  readonly #request: MeshRequest;
  readonly #clock: Clock;
  readonly #dueAt: number;
  #timer: Timer;

  constructor(request: MeshRequest, timeoutMs: number, clock: Clock) {
    super();
    this.#request = request;
    this.#clock = clock;
    request.cancellation.onCancel(this);
    this.#dueAt = clock.now() + timeoutMs;
    this.#timer = clock.setTimer(() => this.#expire(timeoutMs), timeoutMs);
  }

  /** The response head is there, or the attempt has failed: the limit is met. */
  stopTimer(): void {
    this.#clock.clearTimer(this.#timer);
  }

  /** The attempt has ended: the cancellation of the call does not concern it any more. */
  leave(): void {
    this.#request.cancellation.removeListener(this);
  }

  #expire(timeoutMs: number): void {
    const overdueMs = this.#clock.now() - this.#dueAt;
    // The response may have arrived and be unread. The instance is not blamed for that: it has the lost time once more.
    if (overdueMs <= lateMs) this.#giveUp(timeoutMs);
    else this.#timer = this.#clock.setTimer(() => this.#giveUp(timeoutMs), Math.min(overdueMs, timeoutMs));
  }

  #giveUp(timeoutMs: number): void {
    const { service, method, upstream, attempts, options } = this.#request;
    const limit = options.attemptTimeoutMs === undefined ? "attemptTimeoutMs" : "mesh.attemptTimeoutMs of the call";
    const error = new MeshError(
      "ERR_MESH_TIMEOUT",
      `${upstream?.address ?? "the instance"} of "${service}" did not answer ${method} within ${timeoutMs} ms (${limit})`,
      { service },
    );
    this.cancel(error);
    completeAttempts(error, attempts);
  }
}

/** The option of {@link attemptTimeoutLayer}. */
export interface AttemptTimeoutOption {
  /** Time limit of one attempt up to its response head, in milliseconds; `false` = no limit. @default 2000 */
  readonly attemptTimeoutMs?: number | false;
}

/** Below the balancer, which counts the attempt: a timeout is a failure of the instance. */
export const attemptTimeoutLayer = layer({
  name: "attempt timeout",
  options: optionTable<AttemptTimeoutOption>()({ attemptTimeoutMs: orFalse(number({ default: 2_000, min: 1, unit: "ms" })) }),
  build: ({ attemptTimeoutMs: timeoutMs }, { clock }: LayerParts) => attemptTimeout({ timeoutMs, clock }),
});
