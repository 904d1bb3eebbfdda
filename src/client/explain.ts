import type { Balancer } from "../balancer/balancer.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { describeError } from "../core/errors.ts";
import type { BreakerState } from "../core/observer.ts";
import type { Upstream } from "../core/upstream.ts";

/** One endpoint in a {@link ServiceExplanation}. */
export interface EndpointExplanation {
  readonly endpoint: Endpoint;
  readonly address: string;
  /** `true` when the picker chooses from it now. */
  readonly candidate: boolean;
  /** Why it is, or is not. */
  readonly reason: string;
  readonly breaker: BreakerState;
  readonly inFlight: number;
  readonly requests: number;
  readonly failures: number;
  /** Moving average of the time to the response head, in milliseconds. */
  readonly latencyMs: number;
}

/** What `mesh.explain(service)` answers. */
export interface ServiceExplanation {
  readonly service: string;
  /** What is asked for endpoints. */
  readonly discovery: string;
  /** Milliseconds since the last good answer; `undefined` when there has been none. */
  readonly ageMs: number | undefined;
  /** Why the newest data is not newer, when the last attempt to get some failed. */
  readonly discoveryError: string | undefined;
  /** The breaker of the whole service. */
  readonly breaker: BreakerState;
  readonly endpoints: readonly EndpointExplanation[];
}

interface Source {
  readonly service: string;
  readonly discovery: string;
  readonly ageMs: number | undefined;
  readonly lastError: unknown;
  readonly breaker: BreakerState;
  readonly breakerOf: (upstream: Upstream) => BreakerState;
  readonly balancer: Balancer;
}

/** Puts together what the parts of a service know. Costs nothing unless it is called. */
export function explainService({ service, discovery, ageMs, lastError, breaker, breakerOf, balancer }: Source): ServiceExplanation {
  const candidates = new Set(balancer.candidates);
  return {
    service,
    discovery,
    ageMs,
    discoveryError: lastError === undefined ? undefined : describeError(lastError),
    breaker,
    endpoints: balancer.upstreams.map((upstream) => {
      const state = breakerOf(upstream);
      const candidate = candidates.has(upstream);
      return {
        endpoint: upstream.endpoint,
        address: upstream.address,
        candidate,
        reason: reasonOf(upstream, state, candidate),
        breaker: state,
        inFlight: upstream.inFlight,
        requests: upstream.requests,
        failures: upstream.failures,
        latencyMs: upstream.latencyMs,
      };
    }),
  };
}

function reasonOf(upstream: Upstream, breaker: BreakerState, candidate: boolean): string {
  if (candidate) return breaker === "closed" ? "in rotation" : `breaker ${breaker}, but no instance is better`;
  if (breaker !== "closed") return breaker === "open" ? "breaker open after failures" : "breaker half-open, waiting for a probe";
  if (upstream.weight === 0) return "weight 0: picked only when nothing else is left";
  return `priority ${upstream.endpoint.priority ?? 0}: an instance of a lower number is available`;
}
