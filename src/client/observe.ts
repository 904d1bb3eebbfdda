import type { Clock } from "../core/clock.ts";
import type { Interceptor, MeshRequest } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import type { AttemptObserver, CallObserver, Observer } from "../core/observer.ts";

/** Several observers as one, with every method they have: a hook nobody uses is absent, so that nothing calls it. */
export class Observers {
  readonly #observers: readonly Observer[];
  #hasWarned = false;

  constructor(observers: readonly Observer[]) {
    this.#observers = observers;
  }

  /** `true` when some observer has the hook. */
  has(hook: keyof Observer): boolean {
    return this.#observers.some((observer) => observer[hook] !== undefined);
  }

  /** Calls `tell` with every observer; an observer that throws disturbs neither the call nor the others. */
  each(tell: (observer: Observer) => void): void {
    for (const observer of this.#observers) this.guard(() => tell(observer));
  }

  /** What each observer answers, by observer. */
  collect<T>(ask: (observer: Observer, index: number) => T | undefined): readonly (T | undefined)[] {
    return this.#observers.map((observer, index) => this.guard(() => ask(observer, index)));
  }

  /** Runs an observer's code. */
  guard<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      if (!this.#hasWarned) {
        this.#hasWarned = true;
        process.emitWarning(`an observer of the mesh threw: ${String(error)}`, "MeshObserverWarning");
      }
      return undefined;
    }
  }
}

/** Reports whole calls. Outermost: it sees what the caller sees, and the whole time. */
export function observeCalls(observers: Observers, clock: Clock): Interceptor {
  return (next) => (request) => {
    const observation = observers.collect<CallObserver>((observer) => observer.onCall?.(request));
    if (!observation.some((each) => each?.onEnd !== undefined))
      return next(observation.every((each) => each === undefined) ? request : { ...request, observation });
    const startedAt = clock.now();
    let headMs = 0;
    const end = (status: number | undefined, error: unknown) => {
      const totalMs = clock.now() - startedAt;
      const event = {
        status,
        error,
        cancelled: isCancelled(request, error),
        attempts: request.attempts.length,
        headMs: headMs || totalMs,
        totalMs,
      };
      for (const each of observation) if (each?.onEnd !== undefined) observers.guard(() => each.onEnd?.(event));
    };
    return next({ ...request, observation }).then(
      (response) => {
        headMs = clock.now() - startedAt;
        response.body.onClose((error) => end(response.status, error));
        return response;
      },
      (error: unknown) => {
        end(undefined, error);
        throw error;
      },
    );
  };
}

/** Reports attempts. Innermost of the layers: it sees what the wire did. */
export function observeAttempts(observers: Observers, clock: Clock): Interceptor {
  return (next) => (request) => {
    const { upstream } = request;
    if (upstream === undefined) return next(request);
    const followers = observers.collect<AttemptObserver>((observer, index) =>
      observer.onAttempt?.(request, upstream, request.observation?.[index]),
    );
    if (followers.every((each) => each === undefined)) return next(request);
    const startedAt = clock.now();
    const headers = Object.assign(Object.create(null), request.headers, ...followers.map((each) => each?.headers));
    const end = (error: unknown) => {
      const record = request.attempts.at(-1);
      if (record === undefined) return;
      const event = { record, error, cancelled: isCancelled(request, error), totalMs: clock.now() - startedAt };
      for (const each of followers) observers.guard(() => each?.onEnd?.(event));
    };
    const send = followers.reduce(
      (run, each) => (each?.around === undefined ? run : () => (each.around as NonNullable<typeof each.around>)(run)),
      () => next({ ...request, headers }),
    );
    return send().then(
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

/** Given up by this side rather than failed: a time limit is a failure, the caller's abort is not. */
function isCancelled(request: MeshRequest, error: unknown): boolean {
  return error !== undefined && request.cancellation.cancelled && !isMeshError(error);
}
