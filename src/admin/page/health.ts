import type { InstanceState } from "../../core/upstream.ts";
import type { Health } from "../health/health.ts";

/** Health, and so the colour, by the state of an instance. */
export const stateHealth: Readonly<Record<InstanceState, Health>> = {
  available: "ok",
  probing: "degraded",
  ejected: "failing",
  unhealthy: "failing",
};
