import { compose, type Dispatch, type Interceptor } from "../core/dispatch.ts";

/** The layers of one service's pipeline; those that are switched off are absent. */
export interface PipelineLayers {
  readonly observeCalls: Interceptor;
  readonly deadline: Interceptor;
  readonly interceptors: readonly Interceptor[];
  readonly delimitedBody: Interceptor | undefined;
  readonly serviceBreaker: Interceptor | undefined;
  readonly throttle: Interceptor | undefined;
  readonly retry: Interceptor | undefined;
  readonly hedge: Interceptor | undefined;
  readonly concurrencyLimit: Interceptor | undefined;
  readonly balance: Interceptor;
  readonly attemptTimeout: Interceptor;
  readonly propagate: Interceptor | undefined;
  readonly observeAttempts: Interceptor;
  readonly transport: Dispatch;
}

/**
 * A request's way, from the caller down to the wire; the response comes back up the same list. Composed once per service.
 */
export function pipeline(layers: PipelineLayers): Dispatch {
  const list: readonly (Interceptor | undefined)[] = [
    // Outermost: it sees what the caller sees, and the whole time.
    layers.observeCalls,
    // Above the retries: bounds all attempts, the pauses between them and the wait for discovery together.
    layers.deadline,
    // Once per call, inside its deadline: credentials, headers, answers from a cache.
    ...layers.interceptors,
    // Above the breakers: what it refuses is no fault of an instance.
    layers.delimitedBody,
    // Above the retries: it judges calls, not attempts, and refuses before any work is done.
    layers.serviceBreaker,
    // Below the breaker: what that refuses was not refused by the service.
    layers.throttle,
    // Above the balancer: each attempt picks anew, among those not yet tried.
    layers.retry,
    // Below the retries, whose attempts it doubles, and charged to the same budget.
    layers.hedge,
    // Attempts take places, not calls: one that pauses before its retry holds none.
    layers.concurrencyLimit,
    // Picks the instance, counts the request in flight until its body has closed, and tells the breaker of the instance what became of
    // it. Above the time limit: a timeout is a failure of the instance.
    layers.balance,
    // One attempt up to its response head.
    layers.attemptTimeout,
    // Each attempt has less time left than the one before.
    layers.propagate,
    // Innermost: it sees what the wire did.
    layers.observeAttempts,
  ];
  return compose(
    list.filter((layer) => layer !== undefined),
    layers.transport,
  );
}
