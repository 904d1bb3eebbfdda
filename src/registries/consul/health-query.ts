import { noIndex } from "./blocking-index.ts";
import type { ConsulAnswer, ConsulClient } from "./client.ts";
import { ConsulError } from "./consul-error.ts";
import type { ConsulConsistency, ConsulSettings } from "./options.ts";

/** Consul lets a question wait up to a sixteenth longer, so that not all return at once. */
const waitSlack = 17 / 16;
const graceMs = 5_000;
const maxInformedContactMs = 1_000;

/** An answer about a service that can be believed. */
export interface HealthAnswer {
  readonly entries: readonly unknown[];
  /** The header `X-Consul-Index`. */
  readonly index: unknown;
  /** The server that answered knew its leader, had heard of it within a second, and was shown a token that hid nothing. */
  readonly isInformed: boolean;
}

/**
 * Asks who offers `service`: at once with {@link noIndex}, else as soon as something has changed since `index`.
 * Rejects with a {@link ConsulError} on everything that is not an answer.
 */
export async function askHealth(
  client: ConsulClient,
  settings: ConsulSettings,
  service: string,
  index: bigint,
  signal: AbortSignal,
): Promise<HealthAnswer> {
  const { consistency, maxStaleMs } = settings;
  const answer = await query(client, settings, service, index, consistency, signal);
  if (consistency !== "stale" || lastContactMs(answer) <= maxStaleMs) return believed(answer, settings);
  try {
    return believed(await query(client, settings, service, noIndex, "default", signal), settings);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ConsulError)) throw error;
    // No leader either: an old list is better than none.
    return believed(answer, settings);
  }
}

function query(
  client: ConsulClient,
  settings: ConsulSettings,
  service: string,
  index: bigint,
  consistency: ConsulConsistency,
  signal: AbortSignal,
): Promise<ConsulAnswer> {
  const { datacenter, partition, tags, near, filter, waitMs, requestTimeoutMs } = settings;
  const isBlocking = index !== noIndex;
  const options = {
    service,
    ...(datacenter === undefined ? {} : { dc: datacenter }),
    ...(partition === undefined ? {} : { partition }),
    ...(tags.length === 0 ? {} : { tag: tags }),
    ...(near === undefined ? {} : { near }),
    ...(filter === undefined ? {} : { filter }),
    ...(consistency === "default" ? {} : { [consistency]: true }),
    ...(isBlocking ? { index: String(index), wait: `${Math.ceil(waitMs)}ms` } : {}),
  };
  return client.ask({
    call: (npm, npmOptions) => npm.health.service(npmOptions),
    options,
    timeoutMs: isBlocking ? waitMs * waitSlack + graceMs : requestTimeoutMs,
    // Somebody may wait for the first answer; nobody waits for a change.
    keepsProcess: !isBlocking,
    signal,
  });
}

/** How long ago the server that answered had heard of its leader. */
function lastContactMs(answer: ConsulAnswer): number {
  const header = answer.headers["x-consul-lastcontact"];
  return typeof header === "string" && /^\d+$/.test(header) ? Number(header) : 0;
}

function believed(answer: ConsulAnswer, settings: ConsulSettings): HealthAnswer {
  const { headers, body } = answer;
  if (!Array.isArray(body)) throw new ConsulError(`the answer is ${body === null ? "null" : typeof body}, not an array`);
  if (body.length === 0) refuseFiltered(headers["x-consul-results-filtered-by-acls"]);
  // Without a token Consul does not say whether it has hidden something.
  const isInformed =
    settings.token !== undefined &&
    headers["x-consul-knownleader"] === "true" &&
    headers["x-consul-lastcontact"] !== undefined &&
    lastContactMs(answer) <= maxInformedContactMs;
  return { entries: body, index: headers["x-consul-index"], isInformed };
}

/** Without the rights to see it Consul answers 200 with nothing, which must not be taken for an empty service. */
export function refuseFiltered(header: unknown): void {
  if (header === "true") throw new ConsulError("the answer is empty because the token may not read the service (results filtered by ACLs)");
}
