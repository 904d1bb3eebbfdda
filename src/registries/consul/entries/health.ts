import { field } from "./json.ts";

/** The health of an instance: the worst status among its own checks and those of its node. */
export type Health = "passing" | "warning" | "critical";

/** Aggregates the checks of an entry. No checks mean passing, as in Consul; an unknown status means critical. */
export function healthOf(checks: unknown): Health {
  if (checks === null || checks === undefined) return "passing";
  if (!Array.isArray(checks)) return "critical";
  let worst: Health = "passing";
  for (const check of checks) {
    const status = isMaintenance(field(check, "CheckID")) ? "critical" : field(check, "Status");
    if (status === "warning") worst = "warning";
    else if (status !== "passing") return "critical";
  }
  return worst;
}

/** The checks by which Consul marks a node or a service that is in maintenance. */
function isMaintenance(checkId: unknown): boolean {
  return typeof checkId === "string" && (checkId === "_node_maintenance" || checkId.startsWith("_service_maintenance:"));
}
