import type { MeshSnapshot, RegistrySummary } from "../snapshot.ts";
import { canaryParts, configurationParts } from "./canaries.ts";
import { type Health, serviceHealth, worstFirst } from "./health.ts";
import { identityParts } from "./identity.ts";
import { ownParts, type StripPart } from "./own-instances.ts";

const words: Readonly<Record<Health, string>> = { failing: "failing", degraded: "degraded", ok: "OK", idle: "idle" };

/** A process in one line: `1 failing · 2 degraded · 47 OK · registry OK · orders serving`. What there is none of is left out. */
export function stripOf(snapshot: Pick<MeshSnapshot, "services" | "registry"> & Partial<MeshSnapshot>): readonly StripPart[] {
  const { services, registry } = snapshot;
  const healths = services.map(serviceHealth);
  const counts = worstFirst.flatMap((health): readonly StripPart[] => {
    const count = healths.filter((each) => each === health).length;
    return count === 0 ? [] : [{ health, text: `${count} ${words[health]}` }];
  });
  return [
    ...counts,
    ...registryPart(registry, services.length),
    ...canaryParts(snapshot),
    ...configurationParts(snapshot),
    ...identityParts(snapshot),
    ...ownParts(snapshot),
  ];
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
