import { type EventEmitter, errorMonitor } from "node:events";
import { sleepUnlessAborted } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import type { NodeServer } from "./node-server.ts";
import type { ServerParts } from "./parts.ts";

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
    const reason = await readiness.ownReason();
    leaving.throwIfAborted();
    if (reason === undefined) return;
    if (reason !== said) log(`is not ready: ${reason}`);
    said = reason;
    await sleepUnlessAborted(clock, askAgainMs, leaving);
  }
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
