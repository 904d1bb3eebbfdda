import type { InstanceState } from "../../core/upstream.ts";
import type { ServiceRow } from "../snapshot.ts";

/** How well something does. */
export type Health = "ok" | "degraded" | "failing" | "idle";

/** Kiali's limits for server errors: degraded from 0.1 % on, failing above 10 %. */
export function healthOf(success: number | null): Health {
  if (success === null) return "idle";
  // As the shares that they are: 1 - 0.999 is a little more than 0.001.
  return success < 0.9 ? "failing" : success <= 0.999 ? "degraded" : "ok";
}

/** Of a whole service: what its callers saw, and whether anybody is there to call. */
export function serviceHealth({ success, endpoints, breaker }: ServiceRow): Health {
  if (breaker === "open" || endpoints.available === 0) return "failing";
  const health = healthOf(success.effective);
  return health === "ok" && breaker === "half-open" ? "degraded" : health;
}

/** The same word for an endpoint's state, so that it has the same colour. */
export const stateHealth: Readonly<Record<InstanceState, Health>> = {
  available: "ok",
  probing: "degraded",
  ejected: "failing",
  unhealthy: "failing",
};
