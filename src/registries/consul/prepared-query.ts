import type { Endpoint } from "../../core/endpoint.ts";
import { describeError, MeshError } from "../../core/errors.ts";
import { inTurns } from "../../core/json/in-turns.ts";
import type { DiscoveryAnswer } from "../../discovery/discovery.ts";
import { Notifier } from "../../discovery/notifier.ts";
import { pauseUnlessNotified } from "../../discovery/pause.ts";
import type { RefreshListeners } from "../../discovery/refresh-listeners.ts";
import { keepIfSame } from "../../discovery/same-endpoints.ts";
import { endpointsOf } from "./entries/entries.ts";
import { field } from "./entries/json.ts";
import { refuseFiltered, tenancyOf } from "./health-query.ts";
import type { ConsulClient } from "./http/client.ts";
import { ConsulError } from "./http/consul-error.ts";
import type { ConsulSettings } from "./options.ts";

/**
 * Executes a prepared query again and again, and yields the instances of each answer; those of another datacentre, too, to which the query
 * fails over. Ends when `signal` aborts. Throws `ERR_MESH_DISCOVERY` on the first failure: the watcher starts it again.
 */
export async function* watchPreparedQuery(
  service: string,
  signal: AbortSignal,
  client: ConsulClient,
  settings: ConsulSettings & { readonly preparedQuery: string },
  hints: RefreshListeners,
): AsyncGenerator<DiscoveryAnswer, void, undefined> {
  const { name, preparedQuery, pollMs, clock, random } = settings;
  const hint = new Notifier();
  const forget = hints.add(service, () => hint.notify());
  const query = preparedQuery.replaceAll("{service}", () => service);
  let last: readonly Endpoint[] | undefined;
  try {
    while (!signal.aborted) {
      const nodes = await execute(query, client, settings, last === undefined, signal);
      const { endpoints, leftOut } = await inTurns(endpointsOf(nodes, settings), signal);
      last = keepIfSame(last, endpoints);
      yield { endpoints: last, certain: false, leftOut };
      await pauseUnlessNotified(clock, pollMs * (0.9 + 0.2 * random()), signal, hint);
    }
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof ConsulError)) throw error;
    throw new MeshError("ERR_MESH_DISCOVERY", `${name}: prepared query ${query}: ${describeError(error)}`, { service, cause: error });
  } finally {
    forget();
  }
}

async function execute(
  query: string,
  client: ConsulClient,
  settings: ConsulSettings,
  keepsProcess: boolean,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const { datacenter, partition, near, consistency, requestTimeoutMs } = settings;
  const { headers, body } = await client.ask({
    call: (npm, options) => npm.query.execute(options),
    options: {
      query,
      ...(datacenter === undefined ? {} : { dc: datacenter }),
      ...(partition === undefined ? {} : { partition }),
      ...(consistency === "default" ? {} : { [consistency]: true }),
    },
    query: { ...tenancyOf(settings), ...(near === undefined ? {} : { near }) },
    timeoutMs: requestTimeoutMs,
    // A call may wait for the first answer; none waits for the next.
    keepsProcess,
    signal,
  });
  const nodes = field(body, "Nodes");
  // Consul writes an empty list as null.
  if (nodes === null) return [];
  if (!Array.isArray(nodes)) throw new ConsulError("the answer has no list of nodes");
  if (nodes.length === 0) refuseFiltered(headers["x-consul-results-filtered-by-acls"]);
  return nodes;
}
