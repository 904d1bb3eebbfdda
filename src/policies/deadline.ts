import type { Clock } from "../core/clock.ts";
import { headerOf, type Interceptor, type MeshResponse } from "../core/dispatch.ts";
import { completeAttempts, MeshError } from "../core/errors.ts";

/** What {@link deadline} needs. */
export interface DeadlineOptions {
  /** The whole call in milliseconds; `false` = no limit. */
  readonly timeoutMs: number | false;
  readonly clock: Clock;
}

/**
 * Bounds the whole call: everything below it and the body. It settles the caller at the deadline, and at the caller's own
 * abort, whatever happens below, and cancels what is still under way. An event stream leaves the deadline at its head,
 * since it has no end to wait for.
 */
export function deadline({ timeoutMs: defaultMs, clock }: DeadlineOptions): Interceptor {
  return (next) => (request) => {
    const timeoutMs = request.options.timeoutMs ?? defaultMs;
    const { cancellation } = request;
    return new Promise((resolve, reject) => {
      const expire = () => {
        const { service, method } = request;
        const error = new MeshError("ERR_MESH_TIMEOUT", `"${service}" did not answer ${method} within the deadline of ${timeoutMs} ms`, {
          service,
        });
        cancellation.cancel(error);
        completeAttempts(error, request.attempts);
      };
      const timer = timeoutMs === false ? undefined : clock.setTimer(expire, timeoutMs);
      const onCancel = (reason: unknown) => {
        clock.clearTimer(timer);
        reject(reason);
      };
      const finish = () => {
        clock.clearTimer(timer);
        cancellation.removeListener(onCancel);
      };
      cancellation.onCancel(onCancel);
      if (cancellation.cancelled) return;
      const fail = (error: unknown) => {
        finish();
        reject(error);
      };
      try {
        next(timeoutMs === false ? request : { ...request, deadline: clock.now() + timeoutMs }).then((response) => {
          // Too late: nobody gets this response, and its connection must not wait for a reader.
          if (cancellation.cancelled) response.body.cancel(cancellation.reason);
          if (response.body.complete || isEventStream(response)) finish();
          else response.body.onClose(finish);
          resolve(response);
        }, fail);
      } catch (error) {
        // An interceptor of the user's that throws instead of rejecting.
        fail(error);
      }
    });
  };
}

/** Media types are compared without regard to case (RFC 9110 §8.3.1). */
function isEventStream(response: MeshResponse): boolean {
  return /^text\/event-stream\s*(;|$)/i.test(headerOf(response, "content-type") ?? "");
}
