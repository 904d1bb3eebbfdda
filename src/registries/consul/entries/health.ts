import { field, text } from "./json.ts";

/** The health of an instance: the worst status among its own checks and those of its node. */
export type Health = "passing" | "warning" | "critical";

/** The health of an instance that may take calls, or the reason for which it may not. */
export type Standing =
  | { readonly health: Exclude<Health, "critical"> }
  | {
      readonly health: "critical";
      readonly reason: string;
      /** The catalogue was told so of this instance: by an operator, or by a check of its own. */
      readonly isTold: boolean;
    };

const maintenance: Standing = { health: "critical", reason: "in maintenance", isTold: true };
const ownCheck: Standing = { health: "critical", reason: "critical by a check of its own", isTold: true };
// The two below are conclusions from silence. A registry that was cut off or stopped draws them of all instances at once.
const expired: Standing = { health: "critical", reason: "critical because nothing renewed its check in time", isTold: false };
const nodeCheck: Standing = { health: "critical", reason: "critical by a check of its node", isTold: false };

/** Aggregates the checks of an entry. No checks mean passing, as in Consul; an unknown status means critical. */
export function standingOf(checks: unknown): Standing {
  if (checks === null || checks === undefined) return { health: "passing" };
  if (!Array.isArray(checks)) return nodeCheck;
  let worst: Standing = { health: "passing" };
  for (const check of checks) {
    const standing = standingOfCheck(check);
    if (standing === maintenance) return standing;
    if (rank(standing) > rank(worst)) worst = standing;
  }
  return worst;
}

function standingOfCheck(check: unknown): Standing {
  if (isMaintenance(field(check, "CheckID"))) return maintenance;
  const status = field(check, "Status");
  if (status === "passing" || status === "warning") return { health: status };
  if (text(field(check, "ServiceID")) === undefined) return nodeCheck;
  return (text(field(check, "Output")) ?? "").startsWith("TTL expired") ? expired : ownCheck;
}

/** A word that was given weighs more than a conclusion. */
function rank(standing: Standing): number {
  if (standing.health !== "critical") return standing.health === "passing" ? 0 : 1;
  return standing.isTold ? 3 : 2;
}

/** The checks by which Consul marks a node or a service that is in maintenance. */
function isMaintenance(checkId: unknown): boolean {
  return typeof checkId === "string" && (checkId === "_node_maintenance" || checkId.startsWith("_service_maintenance:"));
}
