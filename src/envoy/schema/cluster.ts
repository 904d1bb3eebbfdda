import { renewCluster } from "../old/cluster.ts";
import { choice, duration, flag, list, name, text, whole } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { balancingPolicy, clusterBalancing } from "./balancing.ts";
import { resolverConfig } from "./dns.ts";
import { loadAssignment } from "./endpoint.ts";
import { healthCheck } from "./health-check.ts";
import { extensionOptions } from "./protocol.ts";
import { transportSocket } from "./tls.ts";
import { configSource, metadata, percent } from "./values.ts";

const ownFigures = "figures are those of the mesh's observers";
const ownConnections = "connections are inmesh's own";

const thresholds = message("Thresholds", () => ({
  fields: {
    priority: choice(["DEFAULT", "HIGH"]),
    max_connections: whole(),
    max_pending_requests: whole(),
    max_requests: whole(),
    max_retries: whole(),
    retry_budget: message("RetryBudget", () => ({
      fields: { budget_percent: percent, min_retry_concurrency: whole() },
      nothing: { "retries are counted over the last seconds": "budget_interval" },
    })),
  },
  nothing: { [ownFigures]: "track_remaining" },
  missing: { "an instance has one pool": "max_connection_pools" },
}));

const circuitBreakers = message("CircuitBreakers", () => ({
  fields: { thresholds: list(thresholds), per_host_thresholds: list(thresholds) },
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
    enforcing_local_origin_success_rate: share,
    failure_percentage_threshold: share,
    enforcing_failure_percentage: share,
    enforcing_failure_percentage_local_origin: share,
    failure_percentage_minimum_hosts: whole(),
    failure_percentage_request_volume: whole(),
    max_ejection_time: duration,
    max_ejection_time_jitter: duration,
    successful_active_health_check_uneject_host: flag,
    always_eject_one_host: flag,
  },
  missing: { "instances are judged by these rules alone": "monitors detect_degraded_hosts" },
}));

const refreshRate = message("RefreshRate", () => ({ fields: { base_interval: duration, max_interval: duration } }));

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
    dns_failure_refresh_rate: refreshRate,
    respect_dns_ttl: flag,
    dns_lookup_family: choice(["AUTO", "V4_ONLY", "V6_ONLY", "V4_PREFERRED", "ALL"], { INTERNET: "AUTO" }),
    use_tcp_for_dns_lookups: flag,
    typed_dns_resolver_config: resolverConfig,
    outlier_detection: outlierDetection,
    transport_socket: transportSocket,
    metadata,
  },
  nothing: {
    [ownFigures]: "alt_stat_name stats_matcher track_timeout_budgets track_cluster_stats lrs_server lrs_report_endpoint_metrics",
    [ownConnections]:
      "per_connection_buffer_limit_bytes per_connection_buffer_high_watermark_timeout upstream_connection_options preconnect_policy close_connections_on_host_health_failure cleanup_interval dns_jitter",
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
