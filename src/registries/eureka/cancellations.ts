import type { Endpoint } from "../../core/endpoint.ts";
import type { LeftOut } from "../../core/left-out.ts";
import { entriesOf, isRecord } from "./entry.ts";
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
      { method: "GET", path: "delta" },
      ({ status, text }) => (status === 200 ? readCancellations(text) : []),
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

function readCancellations(text: string): readonly Cancellation[] {
  const parsed: unknown = JSON.parse(text);
  const applications = isRecord(parsed) ? parsed["applications"] : undefined;
  return entriesOf(isRecord(applications) ? applications["application"] : undefined).flatMap(({ name, instance }) =>
    entriesOf(instance).flatMap((each): Cancellation[] => {
      const { instanceId, actionType, leaseInfo } = each;
      if (actionType !== "DELETED" || typeof instanceId !== "string" || typeof name !== "string" || hasExpired(leaseInfo)) return [];
      return [{ app: name.toUpperCase(), id: instanceId }];
    }),
  );
}

/** Whether the lease had run out when the instance was taken out, or does not say. */
function hasExpired(lease: unknown): boolean {
  if (!isRecord(lease)) return true;
  const { evictionTimestamp, lastRenewalTimestamp, durationInSecs } = lease;
  const silentMs = Number(evictionTimestamp) - Number(lastRenewalTimestamp);
  return !(Number(evictionTimestamp) > 0 && silentMs < 1_000 * Number(durationInSecs));
}
