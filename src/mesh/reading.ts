import type { Balancer } from "../balancer/balancer.ts";
import type { Picker } from "../balancer/picker.ts";
import { fenceResult, warnOfThrow } from "../core/observing/fence.ts";
import type { RegistryReading, ServiceReading } from "../core/observing/reading.ts";
import type { InstanceState, Upstream } from "../core/upstream.ts";

/** The parts of a service that its numbers come from. */
export interface ReadingSource {
  readonly service: string;
  readonly inFlight: number;
  readonly balancer: Pick<Balancer, "upstreams" | "lists">;
  readonly picker: Pick<Picker, "avoids">;
  readonly unconfirmed: number;
  readonly ageMs: number | undefined;
  readonly registry: RegistryReading;
  readonly retryBudget: number;
}

/** Reads the numbers of a service, without those of its layers. It costs nothing unless it is called. */
export function readService({ balancer, picker, ageMs, ...source }: ReadingSource): ServiceReading {
  const endpoints: Record<InstanceState, number> = { available: 0, ejected: 0, probing: 0, unhealthy: 0 };
  let avoided = 0;
  for (const upstream of balancer.upstreams) {
    endpoints[upstream.state]++;
    if (upstream.state === "available" && avoids(picker, upstream)) avoided++;
  }
  return {
    ...source,
    avoided,
    breaker: "closed",
    concurrency: undefined,
    endpoints,
    panicking: balancer.lists.some(({ panic }) => panic !== "no"),
    discoveryAgeMs: ageMs,
  };
}

/** The picker may be the program's, and gauges are read from a timer. */
function avoids(picker: Pick<Picker, "avoids">, upstream: Upstream): boolean {
  try {
    const result = picker.avoids?.(upstream);
    fenceResult("avoids of a picker", result);
    return result === true;
  } catch (thrown) {
    warnOfThrow("avoids of a picker", thrown);
    return false;
  }
}
