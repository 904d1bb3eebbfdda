import { Cancellation } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import type { Interceptor } from "../core/dispatch.ts";
import { completeAttempts, MeshError } from "../core/errors.ts";

/** What {@link attemptTimeout} needs. */
export interface AttemptTimeoutOptions {
  /** One attempt up to its response head, in milliseconds; `false` = no limit. */
  readonly timeoutMs: number | false;
  readonly clock: Clock;
}

/**
 * Bounds one attempt up to its response head: queueing for a connection, connecting, sending and waiting. undici's own
 * limits are half a second coarse and leave the queue out.
 */
export function attemptTimeout({ timeoutMs: defaultMs, clock }: AttemptTimeoutOptions): Interceptor {
  return (next) => (request) => {
    const timeoutMs = request.options.attemptTimeoutMs ?? defaultMs;
    if (timeoutMs === false) return next(request);
    const { cancellation: call, service, method, upstream } = request;
    // The call goes on when an attempt is given up, so an attempt has a cancellation of its own below the call's.
    const attempt = new Cancellation();
    const forward = (reason: unknown) => attempt.cancel(reason);
    call.onCancel(forward);
    const timer = clock.setTimer(() => {
      const error = new MeshError(
        "ERR_MESH_TIMEOUT",
        `${upstream?.address ?? "the instance"} of "${service}" did not answer ${method} within ${timeoutMs} ms (attemptTimeoutMs)`,
        { service },
      );
      attempt.cancel(error);
      completeAttempts(error, request.attempts);
    }, timeoutMs);
    return next({ ...request, cancellation: attempt }).then(
      (response) => {
        clock.clearTimer(timer);
        response.body.onClose(() => call.removeListener(forward));
        return response;
      },
      (error: unknown) => {
        clock.clearTimer(timer);
        call.removeListener(forward);
        throw error;
      },
    );
  };
}
