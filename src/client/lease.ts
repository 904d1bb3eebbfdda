import type { Balancer } from "../balancer/balancer.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { isRetryableMethod, type Outcome } from "../core/outcome.ts";
import type { Upstream } from "../core/upstream.ts";
import type { UpstreamBreakers } from "../policies/upstream-breaker.ts";

/** An instance that was chosen for work which does not go through the pipeline: a socket of `node:http`, an upgraded connection. */
export interface Lease {
  readonly upstream: Upstream;
  /** Ends the work; only the first call counts. `refused`: no connection could be made. */
  settle(outcome: Outcome, refused?: boolean): void;
}

/** Picks an upstream, counts it as busy and lets its breaker learn the outcome; `undefined` when the service has none. */
export function leaseFrom(balancer: Balancer, breakers: UpstreamBreakers | undefined, request: MeshRequest): Lease | undefined {
  const upstream = balancer.pick(request, isRetryableMethod(request.method, "safe"));
  if (upstream === undefined) return undefined;
  upstream.inFlight++;
  upstream.requests++;
  const learn = breakers?.guard(upstream);
  let isSettled = false;
  return {
    upstream,
    settle(outcome, refused = false) {
      if (isSettled) return;
      isSettled = true;
      upstream.inFlight--;
      learn?.(outcome, refused);
    },
  };
}
