import type { Endpoint } from "../../core/endpoint.ts";
import { inTurns } from "../../core/json/in-turns.ts";
import type { Steps } from "../../core/json/steps.ts";
import type { LeftOut } from "../../core/left-out.ts";
import { isRecord } from "./entry.ts";
import { findPlaces, readInstance } from "./registry-text.ts";
import type { Servers } from "./servers.ts";

/** An instance that was deregistered in the last minutes. */
export interface Cancellation {
  /** In upper case. */
  readonly app: string;
  readonly id: string;
}

/**
 * Asks for the changes of the last minutes, which a server keeps beside the registry: the instances that have deregistered themselves, or were
 * deregistered. One that has lost its data knows of none, and an instance whose lease has only expired is left out, since that is a
 * conclusion from silence. Resolves with an empty list where the servers do not answer, or keep no changes.
 */
export async function askCancellations(servers: Servers, signal: AbortSignal): Promise<readonly Cancellation[]> {
  try {
    return await servers.send(
      { method: "GET", path: "delta", keepsProcess: false },
      async ({ status, body }) => (status === 200 ? await inTurns(readCancellations(body), signal) : []),
      signal,
    );
  } catch {
    return [];
  }
}

/** Those of `before` that are not among `after` and were deregistered, as entries that have left by their own word. */
export function cancelledAmong(
  before: readonly Endpoint[],
  after: readonly Endpoint[],
  cancellations: readonly Cancellation[],
  isOfService: (app: string) => boolean,
): readonly LeftOut[] {
  const cancelled = new Set(cancellations.filter(({ app }) => isOfService(app)).flatMap(({ app, id }) => [id, `${app}/${id}`]));
  const listed = new Set(after.map(({ id }) => id));
  return before.filter(({ id }) => cancelled.has(id) && !listed.has(id)).map(({ id }) => ({ id, reason: "deregistered", withdrawn: true }));
}

function* readCancellations(text: Buffer): Steps<readonly Cancellation[]> {
  const cancellations: Cancellation[] = [];
  for (const [app, spans] of yield* findPlaces(text)) {
    for (const span of spans) {
      yield;
      const { instanceId, actionType, leaseInfo } = (yield* readInstance(text, span, app)) ?? {};
      if (actionType === "DELETED" && typeof instanceId === "string" && !hasExpired(leaseInfo)) cancellations.push({ app, id: instanceId });
    }
  }
  return cancellations;
}

/** Whether the lease had run out when the instance was taken out, or does not say. */
function hasExpired(lease: unknown): boolean {
  if (!isRecord(lease)) return true;
  const { evictionTimestamp, lastRenewalTimestamp, durationInSecs } = lease;
  const silentMs = Number(evictionTimestamp) - Number(lastRenewalTimestamp);
  return !(Number(evictionTimestamp) > 0 && silentMs < 1_000 * Number(durationInSecs));
}
