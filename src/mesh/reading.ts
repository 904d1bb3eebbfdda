import type { Balancer } from "../balancer/balancer.ts";
import type { EndpointState, ServiceReading } from "../core/reading.ts";
import type { Upstream } from "../core/upstream.ts";
import type { UpstreamStanding } from "../rotation/upstream-standing.ts";

/** What the numbers of a service are taken from. */
export interface ReadingSource {
  readonly service: string;
  readonly inFlight: number;
  readonly balancer: Pick<Balancer, "upstreams" | "lists">;
  readonly standingOf: (upstream: Upstream) => UpstreamStanding | undefined;
  readonly unconfirmed: number;
  readonly ageMs: number | undefined;
  readonly retryBudget: number;
}

/** The numbers of a service whose layers add none. Costs nothing unless it is called. */
export function readService({ balancer, standingOf, ageMs, ...source }: ReadingSource): ServiceReading {
  const endpoints: Record<EndpointState, number> = { available: 0, ejected: 0, probing: 0, unhealthy: 0 };
  for (const upstream of balancer.upstreams) endpoints[upstream.available ? "available" : whyOut(upstream, standingOf(upstream))]++;
  return {
    ...source,
    breaker: "closed",
    concurrency: undefined,
    endpoints,
    isPanicking: balancer.lists.some(({ panic }) => panic !== "no"),
    discoveryAgeMs: ageMs,
  };
}

function whyOut(upstream: Upstream, standing: UpstreamStanding | undefined): EndpointState {
  if (standing?.rule === "health check") return "unhealthy";
  // While the probe is under way nobody else is sent there: the circuit is half-open, the upstream out.
  return upstream.availability === "probe" || standing?.state === "half-open" ? "probing" : "ejected";
}
