import type { RecentError } from "../snapshot.ts";

const refusals: ReadonlySet<string | null> = new Set(["ERR_MESH_CIRCUIT_OPEN", "ERR_MESH_OVERLOADED"]);

/** Whether the mesh refused a call without an attempt, because of others that had failed or were waiting: it says nothing of the cause. */
export function isRefusal({ code, attempts }: Pick<RecentError, "code" | "attempts">): boolean {
  return attempts.length === 0 && refusals.has(code);
}
