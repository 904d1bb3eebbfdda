import type { MeshSnapshot } from "../snapshot.ts";
import type { StripPart } from "./own-instances.ts";

/** A certificate with less than this part of its lifetime left should have been renewed. */
const dueShare = 0.1;

type Identity = NonNullable<MeshSnapshot["process"]["identity"]>;

/**
 * The identities of the process, in one line with the rest of it: `identity OK`, `identity expired`, `orders takes clear text`. Nothing for a process that has
 * none, and for one of an earlier version.
 */
export function identityParts({ atMs = 0, process, servers }: Partial<MeshSnapshot>): readonly StripPart[] {
  const own = process?.identity == null ? [] : [partOf("identity", process.identity, atMs)];
  const served = (servers ?? []).flatMap(({ service, identity, callersMode }): readonly StripPart[] => {
    if (identity == null) return [];
    const name = service === "_unregistered" ? "server" : service;
    const part = partOf(`identity of ${name}`, identity, atMs);
    const open: StripPart = { health: "degraded", text: `${name} takes clear text` };
    return [...(part.health === "ok" ? [] : [part]), ...(callersMode === "permissive" ? [open] : [])];
  });
  return [...own, ...served];
}

/** The identity of the process as a fact: `as spiffe://example.org/web`; `undefined` where there is none to name. */
export function identityFact({ identity }: Partial<MeshSnapshot["process"]>): string | undefined {
  return identity?.id == null ? undefined : `as ${identity.id}`;
}

/** Why the identity of the process is not good, as a sentence; `undefined` while it is. */
export function identityTrouble({ process }: Partial<MeshSnapshot>): string | undefined {
  const { identity } = process ?? {};
  if (identity == null || (identity.state === "ready" && identity.failure == null)) return undefined;
  const why = identity.failure == null ? "" : `: ${identity.failure}`;
  return identity.state === "ready"
    ? `the identity by ${identity.source} is in use until it expires, and is not renewed${why}`
    : `the identity by ${identity.source} is ${identity.state}, and no connection over TLS is made${why}`;
}

function partOf(name: string, { state, expiresAtMs, lifetimeMs, failure }: Identity, atMs: number): StripPart {
  if (state !== "ready") return { health: state === "pending" ? "degraded" : "failing", text: `${name} ${state}` };
  const leftMs = (expiresAtMs ?? Number.POSITIVE_INFINITY) - atMs;
  if (leftMs < dueShare * (lifetimeMs ?? 0)) return { health: "degraded", text: `${name} ends in ${minutes(leftMs)}` };
  return failure == null ? { health: "ok", text: `${name} OK` } : { health: "degraded", text: `${name} is not renewed` };
}

function minutes(ms: number): string {
  return ms < 7_200_000 ? `${Math.max(0, Math.floor(ms / 60_000))} min` : `${Math.floor(ms / 3_600_000)} h`;
}
