import { faultOf } from "../grammar/directive.ts";
import type { Report } from "../reading/report.ts";
import { endpointsOf, type Resolve } from "./endpoints.ts";
import type { UpstreamSpec } from "./upstream-spec.ts";
import type { Upstreams } from "./upstreams.ts";
import type { UsedService, UsedServices } from "./used-services.ts";

/** The parts that the data of services is made with. */
export interface ServicesDataParts {
  /** `undefined`: names stay. */
  readonly resolve: Resolve | undefined;
  /** Whether the mesh answers requests, whose clients `ip_hash` goes by. */
  readonly hasClients: boolean;
  readonly report: Report;
}

/** The upstreams of a file as a list of instances, and as options of services. */
export async function servicesData(
  upstreams: Upstreams,
  used: UsedServices,
  parts: ServicesDataParts,
): Promise<Readonly<Record<string, unknown>>> {
  const bySpec = new Map(used.all.map((service) => [service.upstream, service]));
  const list: [string, unknown][] = [];
  const services: [string, unknown][] = [];
  for (const upstream of upstreams.all) {
    const service = bySpec.get(upstream);
    if (service === undefined) parts.report.notice(upstream.directive, `no location passes requests to ${JSON.stringify(upstream.name)}`);
    if (upstream.method === "ipHash" && !parts.hasClients)
      throw faultOf(
        upstream.directive,
        `ip_hash of ${JSON.stringify(upstream.name)} goes by the client of the request that is being answered, and a mesh alone has none: say clients: "served" where it answers requests`,
      );
    list.push([upstream.service, await endpointsOf(upstream, service?.isSecure ?? false, parts.resolve)]);
    services.push([upstream.service, optionsOf(upstream, service)]);
  }
  const tls = used.tls === undefined ? [] : Object.entries(used.tls).map(([name, file]) => [name, `\${file:${file}}`]);
  return {
    discovery: { static: Object.fromEntries(list) },
    ...(tls.length === 0 ? {} : { tls: Object.fromEntries(tls) }),
    services: Object.fromEntries(services),
  };
}

function optionsOf(upstream: UpstreamSpec, service: UsedService | undefined): object {
  const { method, key, idleTimeoutMs } = upstream;
  const connections = {
    ...(service === undefined ? {} : { connectTimeoutMs: service.options.connectTimeoutMs }),
    ...(idleTimeoutMs === undefined ? {} : { maxIdleMs: idleTimeoutMs }),
  };
  return {
    picker: { nginx: { ...(method === "roundRobin" ? {} : { method }), ...(key === undefined ? {} : { key }) } },
    // Failures count by the rules of nginx, in the picker.
    breaker: false,
    ...(Object.keys(connections).length === 0 ? {} : { connections }),
    ...(service === undefined ? {} : { ...service.options.own, bodyIdleTimeoutMs: service.options.readTimeoutMs }),
    ...(service?.peerName === undefined ? {} : { peer: { name: service.peerName } }),
  };
}
