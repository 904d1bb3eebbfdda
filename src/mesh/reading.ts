import type { Balancer } from "../balancer/balancer.ts";
import type { RegistryReading, ServiceReading } from "../core/observing/reading.ts";
import type { InstanceState } from "../core/upstream.ts";

/** The parts of a service that its numbers come from. */
export interface ReadingSource {
  readonly service: string;
  readonly inFlight: number;
  readonly balancer: Pick<Balancer, "upstreams" | "lists">;
  readonly unconfirmed: number;
  readonly ageMs: number | undefined;
  readonly registry: RegistryReading;
  readonly retryBudget: number;
}

/** Reads the numbers of a service, without those of its layers. It costs nothing unless it is called. */
export function readService({ balancer, ageMs, ...source }: ReadingSource): ServiceReading {
  const endpoints: Record<InstanceState, number> = { available: 0, ejected: 0, probing: 0, unhealthy: 0 };
  for (const { state } of balancer.upstreams) endpoints[state]++;
  return {
    ...source,
    breaker: "closed",
    concurrency: undefined,
    endpoints,
    panicking: balancer.lists.some(({ panic }) => panic !== "no"),
    discoveryAgeMs: ageMs,
  };
}
