import { quoted } from "../../core/text/clean-text.ts";
import { nearestName } from "../../suggestions/nearest-name.ts";
import type { ReadCluster } from "../clusters/cluster.ts";
import { given, literal, type Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";
import { changesOf } from "./headers.ts";
import { percentOf, templateOf } from "./match.ts";
import { patternOf } from "./pattern.ts";
import { subsetOf } from "./subset.ts";

/** The clusters of a file, by their names. */
export type Clusters = ReadonlyMap<string, ReadCluster>;

/** The cluster that a part names. */
export function clusterOf(part: Part, field: string, clusters: Clusters): ReadCluster {
  const name = part.text() ?? "";
  const cluster = clusters.get(name);
  if (cluster !== undefined) return cluster;
  const nearest = nearestName(name, [...clusters.keys()]);
  return part.refuse(`${field}: there is no cluster ${quoted(name)}${nearest === undefined ? "" : `; did you mean ${nearest}?`}`);
}

/** The levels of changes of headers with that of a target, which is the most specific one. */
function withTarget(target: Part, levels: readonly Part[]): readonly Part[] {
  return levels[0]?.at("virtual_hosts") === undefined ? [target, ...levels] : [...levels, target];
}

/** Where a route leads: `to` or `split`. */
export function targetOf(action: Part, clusters: Clusters, levels: readonly Part[]): Options {
  const single = action.at("cluster");
  const wanted = action.at("metadata_match");
  if (single !== undefined) return { to: serviceTarget(clusterOf(single, "RouteAction.cluster", clusters), wanted) };
  const weighted = action.at("weighted_clusters");
  if (weighted === undefined) return action.refuse("RouteAction must have one of cluster, weighted_clusters and cluster_header");
  const targets = weighted.list("clusters").map((each) => weightedTarget(each, wanted, clusters, levels));
  const sum = targets.reduce((all, { weight }) => all + (weight as number), 0);
  if (sum === 0) weighted.refuse("WeightedCluster.clusters: the sum of all weights is 0");
  const total = weighted.number("total_weight");
  if (total !== undefined && total !== sum)
    weighted.at("total_weight")?.refuse(`WeightedCluster.total_weight is ${total}, and the sum of all weights ${sum}`);
  if (weighted.flag("use_hash_policy") === true)
    weighted.at("use_hash_policy")?.refuse("WeightedCluster.use_hash_policy: the choice is made by chance");
  const [only, ...others] = targets;
  if (only !== undefined && others.length === 0) {
    const { weight: _, service, subset, ...changes } = only;
    return { to: subset === undefined ? service : { service, subset }, ...changes };
  }
  const names = new Set<unknown>();
  // One cluster with several subsets, or several times.
  const named = targets.map((target, index) => {
    const name = (target["service"] as string) ?? "";
    const own = names.has(name) ? `${name} ${index + 1}` : name;
    names.add(name);
    return { name: own, ...target };
  });
  return { split: { targets: named } };
}

function serviceTarget(cluster: ReadCluster, wanted: Part | undefined): unknown {
  const subset = subsetOf(cluster.part, [wanted]);
  return subset === undefined ? cluster.name : { service: cluster.name, subset };
}

function weightedTarget(target: Part, wanted: Part | undefined, clusters: Clusters, levels: readonly Part[]): Options {
  const cluster = clusterOf(target.at("name") ?? target.refuse("ClusterWeight.name is missing"), "ClusterWeight.name", clusters);
  target.at("host_rewrite_literal")?.refuse("ClusterWeight.host_rewrite_literal: the host is that of the whole rule");
  for (const each of target.at("typed_per_filter_config")?.fields?.values() ?? [])
    each.refuse("ClusterWeight.typed_per_filter_config: filters are those of the whole rule");
  const weight = target.number("weight") ?? target.refuse("ClusterWeight.weight is missing");
  if (weight > 1_000_000) target.at("weight")?.refuse(`ClusterWeight.weight must be at most 1000000, not ${weight}`);
  return given({
    service: cluster.name,
    subset: subsetOf(cluster.part, [wanted, target.at("metadata_match")]),
    weight,
    requestHeaders: changesOf(withTarget(target, levels), "request"),
    responseHeaders: changesOf(withTarget(target, levels), "response"),
  });
}

/** Changes of the path and of the host. */
export function rewriteOf(action: Part, match: Part): Options | undefined {
  const prefix = action.text("prefix_rewrite") || undefined;
  const pattern = action.at("regex_rewrite");
  const template = action.at("path_rewrite_policy", "typed_config", "path_template_rewrite");
  if ([prefix, pattern, template].filter((each) => each !== undefined).length > 1)
    action.refuse("RouteAction has several of prefix_rewrite, regex_rewrite and path_rewrite_policy, of which it can have one");
  const host = action.text("host_rewrite_literal");
  const isPrefix = match.at("prefix") !== undefined || match.at("path_separated_prefix") !== undefined;
  const rewrite = given({
    // What matched as a whole is replaced as a whole.
    path: template === undefined ? (prefix !== undefined && !isPrefix ? literal(prefix) : undefined) : templateOf(template),
    prefix: prefix !== undefined && isPrefix ? literal(prefix) : undefined,
    pattern: pattern === undefined ? undefined : patternOf(pattern),
    host: host === undefined ? undefined : literal(host),
  });
  return Object.keys(rewrite).length === 0 ? undefined : rewrite;
}

/** The key by which pickers choose the instance. */
export function hashKeyOf(action: Part): unknown {
  const policies = action.list("hash_policy");
  const keys = policies.map((policy) => {
    const header = policy.text("header", "header_name");
    if (header !== undefined) return { header: header.toLowerCase() };
    const cookie = policy.text("cookie", "name");
    if (policy.at("cookie", "ttl") !== undefined)
      policy.at("cookie", "ttl")?.notice("difference", "HashPolicy.cookie.ttl", "no cookie is set; a call without the cookie has no key");
    if (cookie !== undefined) return { cookie };
    const query = policy.text("query_parameter", "name");
    if (query !== undefined) return { query };
    if (policy.flag("connection_properties", "source_ip") === true) return "callerAddress";
    return policy.refuse("HashPolicy must have one of header, cookie, query_parameter and connection_properties with source_ip");
  });
  if (policies.some((policy, index) => index < policies.length - 1 && policy.flag("terminal") !== true))
    policies[0]?.notice("difference", "RouteAction.hash_policy", "the first key that a request has counts; Envoy makes one hash of all");
  return keys.length > 1 ? keys : keys[0];
}

/** Copies of calls: of the route, else of the virtual host, else of the whole table. */
export function mirrorsOf(levels: readonly (Part | undefined)[], clusters: Clusters): readonly Options[] | undefined {
  const policies = levels.map((level) => level?.list("request_mirror_policies") ?? []).find((each) => each.length > 0);
  return policies?.map((policy) => {
    const cluster = clusterOf(
      policy.at("cluster") ?? policy.refuse("RequestMirrorPolicy.cluster is missing"),
      "RequestMirrorPolicy.cluster",
      clusters,
    );
    policy.notice(
      "difference",
      "RequestMirrorPolicy",
      "a copy has the mark of the mesh, x-mesh-mirrored, and its host is not changed to one that ends in -shadow",
    );
    return given({
      service: cluster.name,
      percent: percentOf(policy.at("runtime_fraction", "default_value")),
      methods: "all",
      credentials: true,
    });
  });
}
