import { quoted } from "../../core/text/clean-text.ts";
import { caresType } from "../schema/dns.ts";
import { given, type Options } from "../text/data.ts";
import { typeOf } from "../text/kinds.ts";
import type { Part } from "../text/part.ts";
import type { Resources } from "../text/resources.ts";
import { type EndpointRules, endpointsOf, isAddress, listed, type ReadEndpoint, scaledWeights } from "./endpoints.ts";

/** Where the endpoints of a cluster come from: a list, a source with options, or the mesh's discovery by the name of the cluster. */
export type ClusterSource = ({ readonly list: readonly Options[] } | { readonly source: unknown } | { readonly byName: true }) & {
  readonly overprovisioningFactor?: number | undefined;
};

const assignmentType = "envoy.config.endpoint.v3.ClusterLoadAssignment";

/** The surroundings that the source of a cluster is read with. */
export interface SourceParts {
  readonly resources: Resources;
  readonly rules: EndpointRules;
  /** The servers that are asked for names, where the cluster does not say them. */
  readonly resolver: Part | undefined;
}

/** The source of the endpoints of a cluster, by the name of its service. */
export function sourceOf(cluster: Part, name: string, { resources, rules, resolver }: SourceParts): ClusterSource {
  const type = cluster.text("type") ?? "STATIC";
  if (type === "ORIGINAL_DST")
    cluster.at("type")?.refuse("Cluster.type: ORIGINAL_DST is not supported: there is no connection whose destination could be taken");
  if (type === "EDS") {
    const given = assignmentOfEds(cluster, resources);
    return { list: listOf(endpointsOf(given, rules)), overprovisioningFactor: factorOf(given) };
  }
  const assignment = cluster.at("load_assignment");
  if (assignment === undefined) {
    const field = cluster.at("type") ?? cluster;
    field.notice(
      "slip",
      "Cluster.load_assignment",
      `the cluster has no endpoints; they come from the mesh's discovery, by the name ${quoted(name)}`,
    );
    return { byName: true };
  }
  const endpoints = endpointsOf(assignment, rules);
  if (type === "STATIC") for (const each of endpoints) requireAddress(each);
  if (type === "LOGICAL_DNS" && endpoints.length > 1)
    assignment.refuse(`Cluster ${quoted(name)} is LOGICAL_DNS, which has one endpoint, not ${endpoints.length}`);
  if (type !== "STRICT_DNS" || endpoints.every(({ host, socketPath }) => isAddress(host) || socketPath !== undefined))
    return { list: listOf(endpoints), overprovisioningFactor: factorOf(assignment) };
  return { source: byDns(cluster, name, endpoints, resolver), overprovisioningFactor: factorOf(assignment) };
}

function factorOf(assignment: Part): number | undefined {
  return assignment.number("policy", "overprovisioning_factor");
}

function requireAddress({ host, socketPath, part }: ReadEndpoint): void {
  if (socketPath === undefined && !/^[\d.]+$|:/.test(host))
    part.refuse(`a cluster of type STATIC has addresses: ${quoted(host)} is a name; use STRICT_DNS or LOGICAL_DNS`);
}

function listOf(endpoints: readonly ReadEndpoint[]): readonly Options[] {
  const weights = scaledWeights(endpoints);
  return endpoints.map((each, index) => listed(each, weights[index] as number));
}

function assignmentOfEds(cluster: Part, resources: Resources): Part {
  const source = cluster.at("eds_cluster_config", "eds_config");
  if (source?.at("path_config_source") === undefined)
    return (cluster.at("eds_cluster_config") ?? cluster).refuse("Cluster.eds_cluster_config needs an eds_config with a path_config_source");
  const name = cluster.text("eds_cluster_config", "service_name") || cluster.text("name") || "";
  return resources.named(source, assignmentType, "cluster_name", name);
}

/** Names that are asked for again and again: each of their addresses is an instance. */
function byDns(cluster: Part, service: string, endpoints: readonly ReadEndpoint[], resolver: Part | undefined): unknown {
  const options = dnsOptions(cluster, cluster.at("typed_dns_resolver_config") ?? resolver);
  const weights = scaledWeights(endpoints);
  const plain: Options[] = [];
  const sources: unknown[] = [];
  for (const [index, each] of endpoints.entries()) {
    const weight = weights[index] as number;
    if (isAddress(each.host) || each.socketPath !== undefined) plain.push(listed(each, weight));
    else {
      const source = { dns: { type: "A", name: each.host, port: each.port, ...options } };
      const place = given({ ...each.place, weight: weight === 1 ? undefined : weight });
      sources.push(Object.keys(place).length === 0 ? source : { located: { source, ...place } });
    }
  }
  if (plain.length > 0) sources.push({ static: { [service]: plain } });
  return sources.length === 1 ? sources[0] : { union: sources };
}

const families: Readonly<Record<string, number>> = { V4_ONLY: 4, V6_ONLY: 6, ALL: 0 };

function dnsOptions(cluster: Part, resolver: Part | undefined): Options {
  const family = cluster.text("dns_lookup_family") ?? "AUTO";
  if (family === "AUTO" || family === "V4_PREFERRED")
    (cluster.at("dns_lookup_family") ?? cluster).notice(
      "difference",
      "Cluster.dns_lookup_family",
      `${family}: addresses of both families are instances; Envoy takes those of one`,
    );
  const rate = cluster.ms("dns_refresh_rate");
  const respectsTtl = cluster.flag("respect_dns_ttl") ?? false;
  const config = resolver?.at("typed_config");
  const servers = typeOf(config) === caresType ? (config as Part).list("resolvers").map(serverOf) : [];
  const isTcp = config?.flag("dns_resolver_options", "use_tcp_for_dns_lookups") ?? cluster.flag("use_tcp_for_dns_lookups") ?? false;
  return given({
    family: families[family],
    servers: servers.length === 0 ? undefined : servers,
    transport: isTcp ? "tcp" : undefined,
    // Without respect for the time to live, names are asked for at this rate.
    ...(respectsTtl ? {} : { minTtlMs: rate ?? 5_000, maxTtlMs: rate ?? 5_000 }),
  });
}

function serverOf(address: Part): string {
  const host = address.text("socket_address", "address") ?? address.refuse("a resolver is a socket_address");
  return `${host.includes(":") ? `[${host}]` : host}:${address.number("socket_address", "port_value") ?? 53}`;
}
