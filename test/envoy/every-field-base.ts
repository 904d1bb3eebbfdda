import { join } from "node:path";

/** A file with a cluster and a listener, to which fields are added. */
const one = {
  cluster_name: "one",
  endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: 9 } }, hostname: "h" } }] }],
};
const router = {
  name: "envoy.filters.http.router",
  typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
};
const managerType = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const routes = [
  { match: { prefix: "/a" }, route: { cluster: "sample", metadata_match: { filter_metadata: { "envoy.lb": { sample: "x" } } } } },
];
const virtualHosts = [{ name: "all", domains: ["sample"], routes }];

const path = join(import.meta.dirname, "resources.yaml");

export const baseFile = {
  node: { locality: { zone: "a" } },
  cluster_manager: { local_cluster_name: "sample" },
  static_resources: {
    clusters: [{ name: "sample", load_assignment: one }],
    listeners: [
      {
        filter_chains: [
          {
            filters: [
              {
                name: "envoy.filters.network.http_connection_manager",
                typed_config: {
                  "@type": managerType,
                  stat_prefix: "a",
                  route_config: { virtual_hosts: virtualHosts },
                  http_filters: [router],
                },
              },
            ],
          },
        ],
      },
    ],
  },
};

const tcpCheck = { timeout: "1s", interval: "5s", unhealthy_threshold: 2, healthy_threshold: 1 };
const matcher = { exact: "sample" };
const half = { numerator: 50 };

function replaced(value: string): object {
  return { header: { key: "x-a", value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" };
}

/** What a message must have, or, by `Message.field`, what a field has a meaning beside. */
export const needs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Address: { socket_address: { address: "127.0.0.1", port_value: 9 } },
  SocketAddress: { address: "127.0.0.1", port_value: 9 },
  HealthCheck: { ...tcpCheck, tcp_health_check: {} },
  HttpHealthCheck: { path: "/" },
  CommonTlsContext: {
    tls_certificates: [{ certificate_chain: { filename: "c" }, private_key: { filename: "k" } }],
    validation_context: { trusted_ca: { filename: "a" } },
  },
  TlsCertificate: { certificate_chain: { filename: "c" }, private_key: { filename: "k" } },
  CertificateValidationContext: { trusted_ca: { filename: "a" } },
  SubjectAltNameMatcher: { san_type: "DNS", matcher },
  QueryParameterMatcher: { name: "a", string_match: matcher },
  HeaderMatcher: { name: "a", string_match: matcher },
  StringMatcher: matcher,
  FractionalPercent: half,
  HTTPFault: { delay: { fixed_delay: "1s", percentage: half }, abort: { http_status: 503, percentage: half } },
  FaultDelay: { fixed_delay: "1s", percentage: half },
  FaultAbort: { http_status: 503, percentage: half },
  RetryPolicy: { retry_on: "5xx" },
  RegexMatcher: { regex: "a" },
  "OutlierDetection.enforcing_consecutive_gateway_failure": { consecutive_gateway_failure: 3 },
  RetryBackOff: { base_interval: "1s" },
  RegexMatchAndSubstitute: { pattern: { regex: "a" }, substitution: "b" },
  RequestMirrorPolicy: { cluster: "sample" },
  HeaderValueOption: { header: { key: "x-a", value: "b" } },
  HeaderValue: { key: "x-a", value: "b" },
  ClusterWeight: { name: "sample", weight: 1 },
  WeightedCluster: { clusters: [{ name: "sample", weight: 1 }] },
  DirectResponseAction: { status: 200 },
  RouteAction: { cluster: "sample" },
  Cookie: { name: "a" },
  Pipe: { path: "/sample" },
  SlowStartConfig: { slow_start_window: "60s" },
  "Cluster.ring_hash_lb_config": { lb_policy: "RING_HASH" },
  "Cluster.maglev_lb_config": { lb_policy: "MAGLEV" },
  "Cluster.least_request_lb_config": { lb_policy: "LEAST_REQUEST" },
  "Cluster.eds_cluster_config": { type: "EDS" },
  LbSubsetConfig: { fallback_policy: "ANY_ENDPOINT" },
  "LbSubsetConfig.default_subset": { fallback_policy: "DEFAULT_SUBSET" },
  LbSubsetSelector: { keys: ["sample"] },
  HashPolicy: { header: { header_name: "a" } },
  ConfigSource: { path_config_source: { path } },
  PathConfigSource: { path },
  Rds: { config_source: { path_config_source: { path } } },
  EdsClusterConfig: { eds_config: { path_config_source: { path } } },
  SdsSecretConfig: { name: "sample", sds_config: { path_config_source: { path } } },
  "HeaderValueOption.keep_empty_value": { header: { key: "x-a", value: "" } },
  "RouteConfiguration.most_specific_header_mutations_wins": {
    request_headers_to_add: [replaced("table")],
    virtual_hosts: [{ name: "all", domains: ["sample"], routes, request_headers_to_add: [replaced("host")] }],
  },
  Route: { match: { prefix: "/a" }, route: { cluster: "sample" } },
  VirtualHost: { name: "all", domains: ["sample"], routes },
  HttpConnectionManager: { stat_prefix: "a", route_config: { virtual_hosts: virtualHosts }, http_filters: [router] },
};

/** Fields of which a message has one. */
export const alone: Readonly<Record<string, readonly string[]>> = {
  Cluster: ["load_assignment", "eds_cluster_config"],
  CommonTlsContext: ["tls_certificates", "tls_certificate_sds_secret_configs"],
  HashPolicy: ["header", "cookie", "query_parameter", "connection_properties"],
  Address: ["socket_address", "pipe"],
  HealthCheck: ["http_health_check", "tcp_health_check", "grpc_health_check"],
  RouteMatch: ["prefix", "path", "safe_regex", "path_separated_prefix", "path_match_policy"],
  RouteAction: ["cluster", "cluster_header", "weighted_clusters"],
  Route: ["route", "redirect", "direct_response"],
  HttpConnectionManager: ["route_config", "rds"],
  HeaderMatcher: ["string_match", "range_match", "present_match"],
  QueryParameterMatcher: ["string_match", "present_match"],
  DataSource: ["filename", "inline_bytes", "inline_string", "environment_variable"],
  StringMatcher: ["exact", "prefix", "suffix", "contains", "safe_regex"],
};

/** Fields whose parts are tried elsewhere, since here they are told or refused as a whole. */
export const notThrough: ReadonlySet<string> = new Set([
  "SubjectAltNameMatcher.matcher",
  "Route.typed_per_filter_config",
  "VirtualHost.typed_per_filter_config",
  "RouteConfiguration.typed_per_filter_config",
  "ClusterWeight.typed_per_filter_config",
  "Listener.address",
]);

/** Values that mean what inmesh does without them, in Envoy too. */
export const asHere: ReadonlySet<string> = new Set([
  // The instances have addresses, so that no name is asked for; EDS needs a file, which is another case.
  ...["STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS"].map((type) => `Cluster.type = "${type}"`),
  // The names by which the file of the case has them.
  'EdsClusterConfig.service_name = "sample"',
  'Rds.route_config_name = "sample"',
  'SdsSecretConfig.name = "sample"',
  // Envoy's defaults.
  "HttpProtocolOptions.upstream_http_protocol_options = {}",
  'Cluster.lb_policy = "ROUND_ROBIN"',
  'SlowStartConfig.slow_start_window = "0s"',
  "LeastRequest.choice_count = 2",
  'LeastRequest.selection_method = "N_CHOICES"',
  "LeastRequestLbConfig.choice_count = 2",
  'LbSubsetConfig.fallback_policy = "NO_FALLBACK"',
  'LbSubsetSelector.fallback_policy = "NOT_DEFINED"',
  'LbEndpoint.health_status = "UNKNOWN"',
  'LbEndpoint.health_status = "HEALTHY"',
  "LbEndpoint.load_balancing_weight = 1",
  'HealthCheck.interval_jitter = "0s"',
  'Thresholds.priority = "DEFAULT"',
  "RetryBudget.min_retry_concurrency = 3",
  "OutlierDetection.enforcing_consecutive_5xx = 100",
  "OutlierDetection.enforcing_success_rate = 100",
  'TlsParameters.tls_minimum_protocol_version = "TLS_AUTO"',
  'TlsParameters.tls_minimum_protocol_version = "TLSv1_2"',
  "RouteMatch.case_sensitive = true",
  'FractionalPercent.denominator = "HUNDRED"',
  "HeaderMatcher.present_match = true",
  "QueryParameterMatcher.present_match = true",
  'HeaderValueOption.append_action = "APPEND_IF_EXISTS_OR_ADD"',
  "WeightedCluster.total_weight = 1",
  'RetryPolicy.per_try_timeout = "0s"',
  'RouteAction.priority = "DEFAULT"',
  'MaxStreamDuration.max_stream_duration = "0s"',
  'RedirectAction.response_code = "MOVED_PERMANENTLY"',
  'VirtualHost.require_tls = "NONE"',
]);
