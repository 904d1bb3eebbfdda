import type { InstanceState } from "../../core/upstream.ts";
import type { MeshSnapshot, RegistrySummary, ServiceRow } from "../snapshot.ts";

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

/** A part of the {@link stripOf} a snapshot. */
export interface StripPart {
  readonly health: Health;
  /** `1 failing`, `registry OK`. */
  readonly text: string;
}

const words: Readonly<Record<Health, string>> = { failing: "failing", degraded: "degraded", ok: "OK", idle: "idle" };

/** A process in one line: `1 failing · 2 degraded · 47 OK · registry OK`. What there is none of is left out. */
export function stripOf({ services, registry }: Pick<MeshSnapshot, "services" | "registry">): readonly StripPart[] {
  const healths = services.map(serviceHealth);
  const counts = worstFirst.flatMap((health): readonly StripPart[] => {
    const count = healths.filter((each) => each === health).length;
    return count === 0 ? [] : [{ health, text: `${count} ${words[health]}` }];
  });
  return [...counts, ...registryPart(registry, services.length)];
}

/** A process of an earlier version says nothing of its registry. */
function registryPart(registry: RegistrySummary | undefined, services: number): readonly StripPart[] {
  const of = registry === undefined || registry.services === services ? "" : ` for ${registry.services} of ${services}`;
  switch (registry?.state) {
    case "ok":
      return [{ health: "ok", text: "registry OK" }];
    // The last endpoints stay in use.
    case "doubted":
      return [{ health: "degraded", text: `registry in doubt${of}` }];
    case "failing":
      return [{ health: "failing", text: `registry failing${of}` }];
    default:
      return [];
  }
}

/** The state of the registry as a sentence; `undefined` while there is nothing to tell, and for a process of an earlier version. */
export function registryTrouble({ registry }: Pick<MeshSnapshot, "registry">): string | undefined {
  const { state, text } = (registry as RegistrySummary | undefined) ?? {};
  return state === "failing" || state === "doubted" ? text : undefined;
}
