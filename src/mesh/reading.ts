import type { Balancer } from "../balancer/balancer.ts";
import type { BreakerState } from "../core/breaker-state.ts";
import type { ConcurrencyReading, ServiceReading } from "../core/reading.ts";
import type { InstanceState } from "../core/upstream.ts";

/** What the numbers of a service are taken from. */
export interface ReadingSource {
  readonly service: string;
  readonly inFlight: number;
  readonly balancer: Pick<Balancer, "upstreams" | "lists">;
  readonly unconfirmed: number;
  readonly breaker: BreakerState;
  readonly ageMs: number | undefined;
  readonly retryBudget: number;
  readonly concurrency: ConcurrencyReading | undefined;
}

/** Puts together the numbers of a service. Costs nothing unless it is called. */
export function readService({ balancer, ageMs, ...source }: ReadingSource): ServiceReading {
  const endpoints: Record<InstanceState, number> = { available: 0, ejected: 0, probing: 0, unhealthy: 0 };
  for (const { state } of balancer.upstreams) endpoints[state]++;
  return { ...source, endpoints, isPanicking: balancer.lists.some(({ panic }) => panic !== "no"), discoveryAgeMs: ageMs };
}
