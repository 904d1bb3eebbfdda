import type { RegistryState } from "../../core/observing/reading.ts";
import type { RegistryRow, RegistrySummary } from "../snapshot.ts";

/** The states, the worst first. */
const order: readonly RegistryState[] = ["failing", "doubted", "waiting", "ok"];

/** The state of the registry in a line, by the rows of all services: the first thing to know where endpoints are old. */
export function registrySummary(rows: readonly RegistryRow[]): RegistrySummary {
  if (rows.length === 0) return { state: "waiting", services: 0, text: "registry not asked yet" };
  const state = order.find((each) => rows.some((row) => row.state === each)) ?? "ok";
  const affected = rows.filter((row) => row.state === state);
  const of = rows.length === 1 ? "" : ` for ${affected.length} of ${rows.length} services`;
  return { state, services: affected.length, text: `registry ${textOf(state, affected, of)}` };
}

function textOf(state: RegistryState, affected: readonly RegistryRow[], of: string): string {
  switch (state) {
    case "failing": {
      const longest = affected.reduce((one, other) => ((other.failingMs ?? 0) > (one.failingMs ?? 0) ? other : one));
      return `failing for ${Math.round((longest.failingMs ?? 0) / 1_000)} s${of}, the last endpoints stay in use: ${longest.source}: ${longest.error ?? ""}`;
    }
    case "doubted":
      return `in doubt${of}: its last answer leaves endpoints out, which are kept until that is confirmed`;
    case "waiting":
      return `has not answered yet${of}`;
    case "ok":
      return "OK";
  }
}
