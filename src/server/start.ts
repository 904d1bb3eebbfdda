import { type EventEmitter, errorMonitor } from "node:events";
import type { AddressInfo } from "node:net";
import { describeError } from "../core/errors.ts";
import type { MeshRegistration } from "../registration/mesh-registration.ts";
import { isSecure, type NodeServer } from "./node-server.ts";
import type { ServerParts } from "./parts.ts";
import { unknownLameDuckMs } from "./stop.ts";

/** Pause between two questions whether the program is ready, in milliseconds. */
const askAgainMs = 250;

/**
 * Resolves once the server listens, its services are warm and the program is ready: in this order, so that the first request finds all of it done. Rejects
 * when the server leaves before.
 */
export async function start({ settings, server, readiness, leaving, log }: ServerParts): Promise<void> {
  const { mesh, warm, clock } = settings;
  await listening(server, leaving, log);
  for (const service of warm) {
    const problem = await mesh?.warm(service).then(
      (connected) => (connected === 0 ? "no instance could be reached" : undefined),
      (error: unknown) => describeError(error),
    );
    if (problem !== undefined) log(`could not warm ${service}: ${problem}`);
  }
  let said: string | undefined;
  for (;;) {
    leaving.throwIfAborted();
    const reason = await readiness.ownReason();
    leaving.throwIfAborted();
    if (reason === undefined) return;
    if (reason !== said) log(`is not ready: ${reason}`);
    said = reason;
    await new Promise<void>((resolve) => clock.setTimer(resolve, askAgainMs, false));
  }
}

/** Registers the server, and tells the registration at once. Resolves when all registries have it. */
export async function registered(
  { settings, server, readiness, leaving, log }: ServerParts,
  onRegistration: (registration: MeshRegistration) => void,
): Promise<void> {
  const { mesh, register, lameDuckMs, graceMs } = settings;
  if (mesh === undefined || register === undefined) return;
  const { port = portOf(server), health, ...instance } = register;
  const registration = await mesh.register(
    {
      secure: isSecure(server),
      ...instance,
      port,
      keepTrying: true,
      // Not ready is no request's fault: the instance stays registered, and is not picked.
      health: async (signal) => ((await readiness.ownReason()) === undefined ? ((await health?.(signal)) ?? true) : false),
    },
    leaving,
  );
  onRegistration(registration);
  await registration.whenRegistered(leaving);
  const names = registration.registries.map(({ registry }) => registry).join(" and ");
  log(`serves, registered as ${registration.service} (${registration.id}) in ${names}`);
  const neededMs = registration.callersKnowAfterMs;
  if (lameDuckMs !== undefined || neededMs === undefined || neededMs <= unknownLameDuckMs) return;
  log(
    `serves on for ${neededMs} ms when it stops, since callers learn so late of it from ${names}: what stops it has to wait for ` +
      `${Math.ceil((neededMs + graceMs) / 1_000)} s (terminationGracePeriodSeconds, TimeoutStopSec, kill_timeout), or set lameDuckMs`,
  );
}

function portOf(server: NodeServer): number {
  const address = server.address() as AddressInfo | string | null;
  if (typeof address === "object" && address !== null) return address.port;
  throw new TypeError("serve: register needs a port, since the server listens on a Unix socket");
}

/** Resolves once the server listens. An error in place of that, such as a port in use, is said and stays the program's to handle. */
function listening(server: NodeServer, leaving: AbortSignal, log: (text: string) => void): Promise<void> {
  if (server.listening) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const off = (): void => {
      server.off("listening", onListening);
      (server as EventEmitter).off(errorMonitor, onError);
      leaving.removeEventListener("abort", onStop);
    };
    const onListening = (): void => {
      off();
      resolve();
    };
    const onStop = (): void => {
      off();
      reject(leaving.reason);
    };
    const onError = (error: Error): void => log(`does not listen: ${describeError(error)}`);
    server.once("listening", onListening);
    // Seen, and not handled: an error without a listener ends the process, as it should.
    (server as EventEmitter).on(errorMonitor, onError);
    leaving.addEventListener("abort", onStop, { once: true });
  });
}
