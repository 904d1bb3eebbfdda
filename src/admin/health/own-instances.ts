import type { RegistrationState } from "../../core/observing/registration-state.ts";
import type { ServingState } from "../../core/observing/serving-state.ts";
import type { MeshSnapshot } from "../snapshot.ts";
import type { Health } from "./health.ts";

/** A part of the line that shows a process. */
export interface StripPart {
  readonly health: Health;
  /** `1 failing`, `registry OK`. */
  readonly text: string;
}

const servingHealth: Readonly<Record<ServingState, Health>> = {
  starting: "degraded",
  serving: "ok",
  "lame-duck": "degraded",
  draining: "degraded",
  stopped: "idle",
};

const registrationHealth: Readonly<Record<RegistrationState, Health>> = {
  pending: "degraded",
  registered: "ok",
  failing: "failing",
  deregistered: "idle",
};

/**
 * The process as an instance itself, in one line with the services that it calls: `orders serving`, `orders draining, 3 under way`, `orders not registered:
 * failing at consul at http://127.0.0.1:8500`. Nothing for a process that serves nothing, and for one of an earlier version.
 */
export function ownParts({ servers, registrations }: Partial<Pick<MeshSnapshot, "servers" | "registrations">>): readonly StripPart[] {
  const serving = (servers ?? []).map(({ service, state, open }): StripPart => {
    const name = service === "_unregistered" ? "server" : service;
    const isLeaving = state === "lame-duck" || state === "draining";
    return { health: servingHealth[state] ?? "idle", text: `${name} ${state}${isLeaving ? `, ${open} under way` : ""}` };
  });
  const registered = (registrations ?? []).map(({ service, registry, state }): StripPart => {
    const text = state === "registered" ? `${service} registered` : `${service} not registered: ${state} at ${registry}`;
    return { health: registrationHealth[state] ?? "idle", text };
  });
  // Of several registries that have it, one part is enough.
  return [...serving, ...registered].filter(({ text }, index, all) => all.findIndex((each) => each.text === text) === index);
}
