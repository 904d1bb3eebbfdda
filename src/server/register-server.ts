import type { AddressInfo } from "node:net";
import type { MeshRegistration } from "../registration/mesh-registration.ts";
import { isSecure } from "./node-server.ts";
import type { ServerParts } from "./parts.ts";
import type { ProgramState } from "./served-instance.ts";

/** The lame duck where nothing is known about callers, in milliseconds. */
export const unknownLameDuckMs = 5_000;

/** Longest time in which a stop does nothing but tell the registry that it leaves, in milliseconds. It may still be told after that. */
export const tellMs = 1_000;
/** Longest time for a deregistration, in milliseconds: a registry that is down does not hold the process. */
export const registryMs = 2_000;

/** How a server is registered. */
export interface ServerRegistering {
  /** See {@link portOf}. */
  readonly port: number;
  /** The status and the weight to begin with, in place of those of the options. */
  readonly state: ProgramState;
  /** Gives it up when it aborts before the registries have it. */
  readonly signal?: AbortSignal;
}

/** Begins to register the server, and resolves at once with the registration; `undefined` where none is asked for. */
export async function registerServer(
  { settings, server, readiness }: ServerParts,
  { port, state: { status, weight }, signal }: ServerRegistering,
): Promise<MeshRegistration | undefined> {
  const { mesh, register } = settings;
  if (mesh === undefined || register === undefined) return undefined;
  const { health, ...instance } = register;
  return await mesh.register(
    {
      secure: isSecure(server),
      ...instance,
      ...(status === undefined ? {} : { initialStatus: status }),
      ...(weight === undefined ? {} : { weight }),
      port,
      keepTrying: true,
      // Not ready is no request's fault: the instance stays registered, and is not picked.
      health: async (asking) => ((await readiness.ownReason()) === undefined ? ((await health?.(asking)) ?? true) : false),
    },
    signal,
  );
}

/** Says where the server is registered, and how long it will serve on where that is longer than most of what stops a process waits. */
export function sayRegistered({ settings, log }: ServerParts, { service, id, registries, callersKnowAfterMs }: MeshRegistration): void {
  const { lameDuckMs, graceMs } = settings;
  const names = registries.map(({ registry }) => registry).join(" and ");
  log(`serves, registered as ${service} (${id}) in ${names}`);
  if (lameDuckMs !== undefined || callersKnowAfterMs === undefined || callersKnowAfterMs <= unknownLameDuckMs) return;
  log(
    `serves on for ${callersKnowAfterMs} ms when it stops, since callers learn so late of it from ${names}: what stops it has to wait for ` +
      `${Math.ceil((callersKnowAfterMs + graceMs) / 1_000)} s (terminationGracePeriodSeconds, TimeoutStopSec, kill_timeout), or set lameDuckMs`,
  );
}

/**
 * The port that the server listens on, or that its instance is registered with where the options have one.
 * @throws TypeError where there is neither.
 */
export function portOf({ server, settings }: ServerParts): number {
  const address = server.address() as AddressInfo | string | null;
  const port = settings.register?.port ?? (typeof address === "object" && address !== null ? address.port : undefined);
  if (port !== undefined) return port;
  throw new TypeError("serve: register needs a port, since the server listens on a Unix socket");
}
