import { noIndex } from "./blocking-index.ts";
import type { ConsulAnswer, ConsulClient } from "./http/client.ts";
import { ConsulError } from "./http/consul-error.ts";
import { rawGet } from "./http/raw-call.ts";
import type { ConsulConsistency, ConsulSettings } from "./options.ts";

/** Consul lets a query wait up to a sixteenth longer, so that not all return at once. */
const waitSlack = 17 / 16;
const graceMs = 5_000;
const maxInformedContactMs = 1_000;

/** A complete answer about a service. */
export interface HealthAnswer {
  readonly entries: readonly unknown[];
  /** The header `X-Consul-Index`. */
  readonly index: unknown;
  /** The server knew its leader, had heard of it within a second, and hid nothing from this caller. */
  readonly isInformed: boolean;
}

/**
 * Queries the instances of `service`: at once with {@link noIndex}, otherwise as soon as something has changed since `index`. Rejects with
 * a {@link ConsulError} on anything that is no answer.
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
  if (consistency !== "stale" || lastContactMs(answer) <= maxStaleMs) return healthAnswer(answer, settings);
  try {
    return healthAnswer(await query(client, settings, service, noIndex, "default", signal), settings);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ConsulError)) throw error;
    // There is no leader: an old list is better than none.
    return healthAnswer(answer, settings);
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
  const { datacenter, partition, tags, near, filter, connect, waitMs, requestTimeoutMs } = settings;
  const isBlocking = index !== noIndex;
  const options = {
    ...(connect ? {} : { service }),
    ...(datacenter === undefined ? {} : { dc: datacenter }),
    ...(partition === undefined ? {} : { partition }),
    ...(tags.length === 0 ? {} : { tag: tags }),
    ...(near === undefined ? {} : { near }),
    ...(filter === undefined ? {} : { filter }),
    ...(consistency === "default" ? {} : { [consistency]: true }),
    ...(isBlocking ? { index: String(index), wait: `${Math.ceil(waitMs)}ms` } : {}),
  };
  return client.ask({
    call: connect ? rawGet(`/health/connect/${encodeURIComponent(service)}`) : (npm, npmOptions) => npm.health.service(npmOptions),
    options,
    query: tenancyOf(settings),
    timeoutMs: isBlocking ? waitMs * waitSlack + graceMs : requestTimeoutMs,
    // Consul sends the head when there is something to tell: what follows is no part of the wait.
    bodyTimeoutMs: isBlocking ? requestTimeoutMs : undefined,
    // A call may wait for the first answer; none waits for a change.
    keepsProcess: !isBlocking,
    signal,
  });
}

/** The query parameters that the npm client does not know. */
export function tenancyOf({ namespace }: Pick<ConsulSettings, "namespace">): Readonly<Record<string, string>> {
  return namespace === undefined ? {} : { ns: namespace };
}

/** Milliseconds since the server that answered heard of its leader. */
function lastContactMs(answer: ConsulAnswer): number {
  const header = answer.headers["x-consul-lastcontact"];
  return typeof header === "string" && /^\d+$/.test(header) ? Number(header) : 0;
}

function healthAnswer(answer: ConsulAnswer, settings: ConsulSettings): HealthAnswer {
  const { headers, body } = answer;
  if (!Array.isArray(body)) throw new ConsulError(`the answer is ${body === null ? "null" : typeof body}, not an array`);
  if (body.length === 0) refuseFiltered(headers["x-consul-results-filtered-by-acls"]);
  // Without a token Consul does not say whether it has filtered; it says whether those without one may read everything by default.
  const seesAll =
    settings.token === undefined
      ? headers["x-consul-default-acl-policy"] === "allow"
      : headers["x-consul-results-filtered-by-acls"] !== "true";
  const isInformed =
    seesAll &&
    headers["x-consul-knownleader"] === "true" &&
    headers["x-consul-lastcontact"] !== undefined &&
    lastContactMs(answer) <= maxInformedContactMs;
  return { entries: body, index: headers["x-consul-index"], isInformed };
}

/** Throws when ACLs have filtered the result: Consul answers 200 with nothing then, which is no empty service. */
export function refuseFiltered(header: unknown): void {
  if (header === "true") throw new ConsulError("the answer is empty because the token may not read the service (results filtered by ACLs)");
}
