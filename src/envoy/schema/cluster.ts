import { renewCluster } from "../old/cluster.ts";
import { choice, duration, flag, list, name, text, whole } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { balancingPolicy, clusterBalancing } from "./balancing.ts";
import { resolverConfig } from "./dns.ts";
import { loadAssignment } from "./endpoint.ts";
import { healthCheck } from "./health-check.ts";
import { extensionOptions } from "./protocol.ts";
import { transportSocket } from "./tls.ts";
import { configSource, percent } from "./values.ts";

const ownFigures = "figures are those of the mesh's observers";
const ownConnections = "connections are inmesh's own";

const thresholds = message("Thresholds", () => ({
  fields: {
    priority: choice(["DEFAULT", "HIGH"]),
    max_connections: whole(),
    max_pending_requests: whole(),
    max_requests: whole(),
    retry_budget: message("RetryBudget", () => ({
      fields: { budget_percent: percent, min_retry_concurrency: whole() },
      nothing: { "retries are counted over the last seconds": "budget_interval" },
    })),
  },
  nothing: { [ownFigures]: "track_remaining" },
  differs: { "retries at a time are not counted; retry_budget bounds their share": "max_retries" },
  unread: { "per_host_thresholds has max_connections alone, as in Envoy": "priority max_pending_requests max_requests retry_budget" },
  missing: { "an instance has one pool": "max_connection_pools" },
}));

const circuitBreakers = message("CircuitBreakers", () => ({
  fields: { thresholds: list(thresholds), per_host_thresholds: list(thresholds) },
  unread: { "the first of its priority counts": "thresholds per_host_thresholds" },
}));

const share = whole(0, 100);

const outlierDetection = message("OutlierDetection", () => ({
  fields: {
    consecutive_5xx: whole(),
    interval: duration,
    base_ejection_time: duration,
    max_ejection_percent: share,
    enforcing_consecutive_5xx: share,
    enforcing_success_rate: share,
    success_rate_minimum_hosts: whole(),
    success_rate_request_volume: whole(),
    success_rate_stdev_factor: whole(),
    consecutive_gateway_failure: whole(),
    enforcing_consecutive_gateway_failure: share,
    split_external_local_origin_errors: flag,
    consecutive_local_origin_failure: whole(),
    enforcing_consecutive_local_origin_failure: share,
    failure_percentage_threshold: share,
    enforcing_failure_percentage: share,
    failure_percentage_minimum_hosts: whole(),
    failure_percentage_request_volume: whole(),
    max_ejection_time: duration,
  },
  differs: {
    "times of ejections are spread by 20 % already": "max_ejection_time_jitter",
    "connections and answers of an instance are one rate": "enforcing_local_origin_success_rate enforcing_failure_percentage_local_origin",
    "a probe by a request ends an ejection, not a check": "successful_active_health_check_uneject_host",
    "one instance of a service may always be taken out": "always_eject_one_host",
  },
  unread: {
    "it counts with split_external_local_origin_errors, as in Envoy":
      "consecutive_local_origin_failure enforcing_consecutive_local_origin_failure",
    "the rule is not in force, by its field enforcing_…":
      "consecutive_5xx consecutive_gateway_failure success_rate_minimum_hosts success_rate_request_volume success_rate_stdev_factor failure_percentage_threshold failure_percentage_minimum_hosts failure_percentage_request_volume",
  },
  missing: { "instances are judged by these rules alone": "monitors detect_degraded_hosts" },
}));

/** A cluster: a service here. */
export const cluster: Kind = message("Cluster", () => ({
  renew: renewCluster,
  fields: {
    name,
    type: choice(["STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"]),
    eds_cluster_config: message("EdsClusterConfig", () => ({ fields: { eds_config: configSource, service_name: text } })),
    connect_timeout: duration,
    lb_policy: choice([
      "ROUND_ROBIN",
      "LEAST_REQUEST",
      "RING_HASH",
      "RANDOM",
      "MAGLEV",
      "CLUSTER_PROVIDED",
      "LOAD_BALANCING_POLICY_CONFIG",
    ]),
    load_balancing_policy: balancingPolicy,
    ...clusterBalancing,
    load_assignment: loadAssignment,
    health_checks: list(healthCheck),
    circuit_breakers: circuitBreakers,
    typed_extension_protocol_options: extensionOptions,
    dns_refresh_rate: duration,
    respect_dns_ttl: flag,
    dns_lookup_family: choice(["AUTO", "V4_ONLY", "V6_ONLY", "V4_PREFERRED", "ALL"], { INTERNET: "AUTO" }),
    use_tcp_for_dns_lookups: flag,
    typed_dns_resolver_config: resolverConfig,
    outlier_detection: outlierDetection,
    transport_socket: transportSocket,
  },
  differs: { "after a failure names are asked for again with pauses that grow by themselves": "dns_failure_refresh_rate" },
  unread: {
    "names are asked for of clusters of type STRICT_DNS":
      "dns_refresh_rate respect_dns_ttl dns_lookup_family use_tcp_for_dns_lookups typed_dns_resolver_config",
    "it has settings of another policy than that of the cluster":
      "ring_hash_lb_config maglev_lb_config least_request_lb_config round_robin_lb_config",
    "load_balancing_policy goes before it, as in Envoy": "lb_policy",
    "no route leads to the cluster, and parts of it are chosen by routes": "lb_subset_config",
  },
  nothing: {
    [ownFigures]: "alt_stat_name stats_matcher track_timeout_budgets track_cluster_stats lrs_server lrs_report_endpoint_metrics",
    [ownConnections]:
      "per_connection_buffer_limit_bytes per_connection_buffer_high_watermark_timeout upstream_connection_options preconnect_policy close_connections_on_host_health_failure cleanup_interval dns_jitter",
    "nothing in Envoy reads it but what is written for it": "metadata",
    "endpoints are waited for by the first call": "wait_for_warm_on_init",
    "an instance that discovery has left out ends with its requests": "ignore_health_on_host_removal",
  },
  missing: {
    "it is typed_dns_resolver_config now": "dns_resolvers dns_resolution_config",
    "an instance speaks one way": "transport_socket_matches transport_socket_matcher",
    "clusters of other kinds have no endpoints of their own": "cluster_type",
    "there is no connection whose destination could be taken": "original_dst_lb_config",
    "the operating system chooses the address that connections come from": "upstream_bind_config",
    "bytes of connections are not filtered": "filters",
    "requests share connections": "connection_pool_per_downstream_connection",
    "requests of HTTP go by its own connections": "upstream_config queuing_policies",
  },
}));
