import { describeError, MeshError } from "../../core/errors.ts";
import { refuseFiltered, tenancyOf } from "./health-query.ts";
import type { ConsulClient } from "./http/client.ts";
import { ConsulError } from "./http/consul-error.ts";
import type { ConsulSettings } from "./options.ts";

/** The names of all services in the datacentre. Rejects with `ERR_MESH_DISCOVERY`, or with the signal's reason. */
export async function listServices(client: ConsulClient, settings: ConsulSettings, signal: AbortSignal): Promise<readonly string[]> {
  const { datacenter, partition, requestTimeoutMs } = settings;
  try {
    const { body, headers } = await client.ask({
      call: (npm, options) => npm.catalog.service.list(options),
      options: {
        stale: true,
        ...(datacenter === undefined ? {} : { dc: datacenter }),
        ...(partition === undefined ? {} : { partition }),
      },
      query: tenancyOf(settings),
      timeoutMs: requestTimeoutMs,
      signal,
    });
    if (typeof body !== "object" || body === null || Array.isArray(body)) throw new ConsulError("the catalogue is not an object");
    const names = Object.keys(body);
    if (names.length === 0) refuseFiltered(headers["x-consul-results-filtered-by-acls"]);
    return names;
  } catch (error) {
    if (!(error instanceof ConsulError)) throw error;
    throw new MeshError("ERR_MESH_DISCOVERY", `${settings.name}: ${describeError(error)}`, { cause: error });
  }
}
