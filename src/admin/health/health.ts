import type { InstanceState } from "../../core/upstream.ts";
import type { ServiceRow } from "../snapshot.ts";

/** The health of a service or an instance, and its colour. */
export type Health = "ok" | "degraded" | "failing" | "idle";

/** Each health, the worst first. */
export const worstFirst: readonly Health[] = ["failing", "degraded", "ok", "idle"];

/** Health by a share of successes, with Kiali's limits for server errors: degraded from 0.1 % on, failing above 10 %. */
export function healthOf(success: number | null): Health {
  if (success === null) return "idle";
  // Compared as successes: 1 - 0.999 is a little more than 0.001.
  return success < 0.9 ? "failing" : success <= 0.999 ? "degraded" : "ok";
}

/** Health of a service: by the success of its calls, its breaker, and whether an instance is available. */
export function serviceHealth({ success, endpoints, breaker }: Pick<ServiceRow, "success" | "endpoints" | "breaker">): Health {
  if (breaker === "open" || endpoints.available === 0) return "failing";
  const health = healthOf(success.effective);
  return health === "ok" && breaker === "half-open" ? "degraded" : health;
}

/** Health, and so the colour, by the state of an instance. */
export const stateHealth: Readonly<Record<InstanceState, Health>> = {
  available: "ok",
  probing: "degraded",
  ejected: "failing",
  unhealthy: "failing",
};

/** The services, the worst first, those of one health by name: the order stays while nothing but the traffic changes. */
export function byHealth(services: readonly ServiceRow[]): readonly ServiceRow[] {
  const ranks = new Map(services.map((row) => [row, worstFirst.indexOf(serviceHealth(row))]));
  const rank = (row: ServiceRow): number => ranks.get(row) ?? 0;
  return [...services].sort((one, other) => rank(one) - rank(other) || (one.service < other.service ? -1 : 1));
}
