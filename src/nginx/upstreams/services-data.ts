import { quoted } from "../../core/text/clean-text.ts";
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
    if (service === undefined) parts.report.notice(upstream.directive, `no location passes requests to ${quoted(upstream.name)}`);
    if (upstream.method === "ipHash" && !parts.hasClients)
      throw faultOf(
        upstream.directive,
        `ip_hash of ${quoted(upstream.name)} goes by the client of the request that is being answered, and a mesh alone has none: say clients: "served" where it answers requests`,
      );
    const retry = service?.options.own.retry;
    if (retry !== undefined && retry !== false)
      parts.report.notice(
        upstream.directive,
        `calls with ${retry.methods?.includes("POST") === true ? "any method" : "PUT and DELETE"} are sent again to another server, although they may have been executed; retries: "inmesh" does not`,
      );
    list.push([upstream.service, await endpointsOf(upstream, service?.isSecure ?? false, parts.resolve)]);
    services.push([upstream.service, optionsOf(upstream, service)]);
  }
  // nginx has no time limit for a whole request. Texts of the file are no references.
  const data = plain({
    timeoutMs: false,
    discovery: { static: Object.fromEntries(list) },
    services: Object.fromEntries(services),
  }) as object;
  const tls = used.tls === undefined ? [] : Object.entries(used.tls).map(([name, file]) => [name, `\${file:${file}}`]);
  return { ...data, ...(tls.length === 0 ? {} : { tls: Object.fromEntries(tls) }) };
}

/** Data in which `${` is no reference. */
export function plain(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("${", () => "$${");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

function optionsOf(upstream: UpstreamSpec, service: UsedService | undefined): object {
  const { method, key, idleTimeoutMs } = upstream;
  const retry = service?.options.own.retry || undefined;
  const statuses = (retry?.on ?? []).filter((each) => typeof each === "number" && each !== 403 && each !== 404);
  const account = {
    ...(statuses.length === 0 ? {} : { failedStatuses: statuses, maxAttempts: retry?.maxAttempts }),
    ...(statuses.length > 0 && retry?.methods?.includes("POST") === true ? { anyMethod: true } : {}),
  };
  const connections = {
    ...(service === undefined ? {} : { connectTimeoutMs: service.options.connectTimeoutMs }),
    ...(idleTimeoutMs === undefined ? {} : { maxIdleMs: idleTimeoutMs }),
  };
  return {
    picker: { nginx: { ...(method === "roundRobin" ? {} : { method }), ...(key === undefined ? {} : { key }), ...account } },
    // Failures count by the rules of nginx, in the picker.
    breaker: false,
    ...(Object.keys(connections).length === 0 ? {} : { connections }),
    ...(service === undefined ? {} : { ...service.options.own, bodyIdleTimeoutMs: service.options.readTimeoutMs }),
    ...(service?.peerName === undefined ? {} : { peer: { name: service.peerName } }),
  };
}
