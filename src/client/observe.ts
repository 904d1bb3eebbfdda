import type { Clock } from "../core/clock.ts";
import type { Interceptor, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import type { AttemptObserver } from "../core/observer.ts";
import type { Observers } from "./observers.ts";

/** Reports whole calls. Outermost: it sees what the caller sees, and the whole time. */
export function observeCalls(observers: Observers, clock: Clock): Interceptor {
  return (next) => (request) => {
    const observation = observers.followCall(request);
    if (observation === undefined) return next(request);
    const startedAt = clock.now();
    const end = (status: number | undefined, error: unknown, headMs: number | undefined, cancelled: boolean) => {
      const totalMs = clock.now() - startedAt;
      const event = { status, error, cancelled, attempts: request.attempts.length, headMs: headMs ?? totalMs, totalMs };
      for (const follower of observation) observers.guard(() => follower?.onEnd?.(event));
    };
    return next({ ...request, observation }).then(
      (response) => {
        const headMs = clock.now() - startedAt;
        response.body.onClose((error) => end(response.status, error, headMs, isGivenUp(error)));
        return response;
      },
      (error: unknown) => {
        end(undefined, error, undefined, isAborted(request, error));
        throw error;
      },
    );
  };
}

/** Reports attempts. Innermost of the layers: it sees what the wire did. */
export function observeAttempts(observers: Observers, clock: Clock): Interceptor {
  return (next) => (request) => {
    const followers = request.upstream && observers.followAttempt(request, request.upstream);
    if (followers === undefined) return next(request);
    const startedAt = clock.now();
    // A response that is thrown away for a retry closes when the next attempt has been noted already.
    const at = request.attempts.length;
    const end = (error: unknown, cancelled: boolean) => {
      const record = request.attempts[at];
      if (record === undefined) return;
      const event = { record, error, cancelled, totalMs: clock.now() - startedAt };
      for (const follower of followers) observers.guard(() => follower.onEnd?.(event));
    };
    return around(observers, followers, () => next(withHeaders(request, followers))).then(
      (response) => {
        response.body.onClose((error) => end(error, isGivenUp(error)));
        return response;
      },
      (error: unknown) => {
        end(error, isAborted(request, error));
        throw error;
      },
    );
  };
}

/** Sends inside what the followers want around it: once, whatever they do. */
function around(observers: Observers, followers: readonly AttemptObserver[], send: () => Promise<MeshResponse>): Promise<MeshResponse> {
  let sent: Promise<MeshResponse> | undefined;
  const sendOnce = () => {
    sent ??= send();
    return sent;
  };
  let run = sendOnce;
  for (const follower of followers) {
    if (follower.around === undefined) continue;
    const inner = run;
    run = () => (follower.around as NonNullable<AttemptObserver["around"]>)(inner);
  }
  if (run !== sendOnce) observers.guard(run);
  return sendOnce();
}

function withHeaders(request: MeshRequest, followers: readonly AttemptObserver[]): MeshRequest {
  if (followers.every(({ headers }) => headers === undefined)) return request;
  const headers: Record<string, string> = Object.create(null);
  for (const source of [request.headers, ...followers.map((follower) => follower.headers)]) {
    for (const name in source) headers[name] = source[name] as string;
  }
  return { ...request, headers };
}

/** A body that closed with anything but an error of the mesh was given up by whoever read it: that is no failure. */
function isGivenUp(error: unknown): boolean {
  return error !== undefined && !isMeshError(error);
}

/** A call that failed with the caller's own reason. A time limit of the mesh is a failure. */
function isAborted(request: MeshRequest, error: unknown): boolean {
  return request.cancellation.cancelled && !isMeshError(error);
}
