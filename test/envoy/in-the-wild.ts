/** A file in the style of those that people have, and whether it is read. */
export interface WildFile {
  readonly name: string;
  readonly text: string;
  /** What is refused of it. */
  readonly refused?: RegExp;
  /** Parts of the configuration that it comes to. */
  readonly data?: Readonly<Record<string, unknown>>;
}

const manager = (fields: string): string => `
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
${fields.replace(/^/gm, "          ")}`;

const router = `http_filters:
- name: envoy.filters.http.router
  typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }`;

export const wildFiles: readonly WildFile[] = [
  {
    name: "the first steps of v3: a name behind TLS",
    text: `
static_resources:
  listeners:
  - name: listener_0
    address:
      socket_address: { address: 0.0.0.0, port_value: 10000 }${manager(`stat_prefix: ingress_http
access_log:
- name: envoy.access_loggers.stdout
  typed_config: { "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog }
${router}
route_config:
  name: local_route
  virtual_hosts:
  - name: local_service
    domains: ["*"]
    routes:
    - match: { prefix: "/" }
      route: { host_rewrite_literal: www.example.org, cluster: service_web }`)}
  clusters:
  - name: service_web
    type: LOGICAL_DNS
    dns_lookup_family: V4_ONLY
    load_assignment:
      cluster_name: service_web
      endpoints:
      - lb_endpoints:
        - endpoint: { address: { socket_address: { address: www.example.org, port_value: 443 } } }
    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        sni: www.example.org
`,
    data: {
      discovery: { static: { service_web: [{ host: "www.example.org", port: 443 }] } },
      services: { service_web: { peer: { mode: "strict", name: "www.example.org" } } },
      routes: [{ rewrite: { host: "www.example.org" }, to: "service_web" }],
    },
  },
  {
    name: "the first steps of v2: hosts, tls_context, config",
    text: `
admin:
  access_log_path: /tmp/admin_access.log
  address: { socket_address: { address: 127.0.0.1, port_value: 9901 } }
static_resources:
  listeners:
  - name: listener_0
    address: { socket_address: { address: 127.0.0.1, port_value: 10000 } }
    filter_chains:
    - filters:
      - name: envoy.http_connection_manager
        config:
          stat_prefix: ingress_http
          codec_type: auto
          route_config:
            name: local_route
            virtual_hosts:
            - name: local_service
              domains: ["*"]
              routes:
              - match: { prefix: "/" }
                route: { host_rewrite: www.example.org, cluster: service_web }
          http_filters:
          - name: envoy.router
  clusters:
  - name: service_web
    connect_timeout: 0.25s
    type: LOGICAL_DNS
    dns_lookup_family: V4_ONLY
    lb_policy: ROUND_ROBIN
    hosts: [{ socket_address: { address: example.org, port_value: 443 } }]
    tls_context: { sni: www.example.org }
`,
    data: { services: { service_web: { connections: { connectTimeoutMs: 250 }, peer: { name: "www.example.org" } } } },
  },
  {
    name: "a front proxy of v2 with regular expressions, exact headers and HTTP/2",
    text: `
static_resources:
  listeners:
  - address: { socket_address: { address: 0.0.0.0, port_value: 80 } }
    filter_chains:
    - filters:
      - name: envoy.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager
          codec_type: auto
          stat_prefix: ingress_http
          route_config:
            name: local_route
            virtual_hosts:
            - name: backend
              domains: ["*"]
              routes:
              - match: { regex: "/service/[0-9]+", headers: [{ name: x-a, exact_match: b }, { name: x-c, regex_match: "d.*" }] }
                route: { cluster: service1, retry_policy: { retry_on: 5xx }, request_mirror_policy: { cluster: service2 } }
              - match: { prefix: "/service/2", runtime: { default_value: 50, runtime_key: x } }
                route: { cluster: service2, use_websocket: true }
              - match: { prefix: "/" }
                route: { weighted_clusters: { clusters: [{ name: service1, weight: 50 }, { name: service2, weight: 50 }] } }
                request_headers_to_add: [{ header: { key: x-v, value: "1" }, append: false }]
          http_filters:
          - { name: envoy.router, typed_config: {} }
  clusters:
  - { name: service1, connect_timeout: { seconds: 1, nanos: 500000000 }, type: strict_dns, lb_policy: round_robin, http2_protocol_options: {}, hosts: [{ socket_address: { address: service1, port_value: 80 } }] }
  - { name: service2, connect_timeout: 0.25s, type: STRICT_DNS, max_requests_per_connection: 7, hosts: [{ socket_address: { address: 127.0.0.1, port_value: 80 } }] }
`,
    data: {
      services: {
        service1: { protocol: "h2", connections: { connectTimeoutMs: 1_500 } },
        service2: { protocol: "h1", connections: { maxRequests: 7 } },
      },
      routes: [
        {
          match: { path: { pattern: "/service/[0-9]+" }, headers: { "x-a": { exact: "b" }, "x-c": { pattern: "d.*" } } },
          to: "service1",
          mirror: [{ service: "service2" }],
        },
        { match: { path: { begins: "/service/2" }, percent: 50 }, to: "service2" },
        {
          split: {
            targets: [
              { name: "service1", weight: 50, requestHeaders: { set: { "x-v": "1" } } },
              { name: "service2", weight: 50 },
            ],
          },
        },
      ],
    },
  },
  {
    name: "an ingress controller's: ports in domains, headers, retries, hashes, checks",
    text: `
static_resources:
  listeners:
  - name: ingress_http
    address: { socket_address: { address: 0.0.0.0, port_value: 8080 } }${manager(`stat_prefix: ingress_http
use_remote_address: true
normalize_path: true
common_http_protocol_options: { idle_timeout: 60s }
${router}
route_config:
  name: ingress_http
  ignore_port_in_host_matching: true
  request_headers_to_add: [{ header: { key: x-request-start, value: "%REQ(x-start)%" }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }]
  virtual_hosts:
  - name: foo.bar.com
    domains: ["foo.bar.com", "foo.bar.com:*"]
    routes:
    - match: { path_separated_prefix: "/blog" }
      route:
        cluster: default/blog/80/da39a3ee5e
        timeout: 0s
        idle_timeout: 300s
        hash_policy: [{ header: { header_name: X-Session } }, { cookie: { name: X-Contour-Session-Affinity, ttl: 0s, path: "/" }, terminal: true }]
        retry_policy: { retry_on: "connect-failure,refused-stream,retriable-status-codes", num_retries: 3, per_try_timeout: 2s, retriable_status_codes: [503], retry_back_off: { base_interval: 0.1s, max_interval: 1s } }
        upgrade_configs: [{ upgrade_type: websocket }]
    - match: { prefix: "/" }
      redirect: { https_redirect: true, response_code: PERMANENT_REDIRECT }`)}
  clusters:
  - name: default/blog/80/da39a3ee5e
    alt_stat_name: default_blog_80
    type: STATIC
    connect_timeout: 2s
    lb_policy: RING_HASH
    common_lb_config: { healthy_panic_threshold: {} }
    circuit_breakers: { thresholds: [{ max_connections: 100, max_pending_requests: 50, max_requests: 200, max_retries: 5 }] }
    outlier_detection: { consecutive_5xx: 7, base_ejection_time: 10s, max_ejection_percent: 30 }
    health_checks: [{ timeout: 2s, interval: 10s, unhealthy_threshold: 3, healthy_threshold: 2, http_health_check: { path: /healthz, host: contour-envoy-healthcheck } }]
    load_assignment: { cluster_name: default/blog/80/da39a3ee5e, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 10.0.0.1, port_value: 8080 } } } }, { endpoint: { address: { pipe: { path: /run/blog.sock } } }, load_balancing_weight: 2 }] }] }
`,
    data: {
      services: {
        "default.blog.80.da39a3ee5e": {
          picker: { ringHash: { minRingSize: 1_024 } },
          balancing: { priorities: { panicRatio: 0 } },
          concurrency: { maxInFlight: 100, maxQueued: 50 },
          breaker: { consecutiveFailures: 7, breakMs: 10_000 },
          healthCheck: { type: "http", path: "/healthz", expectedStatuses: [[200, 200]], timeoutMs: 2_000 },
        },
      },
      routes: [
        {
          match: { host: "foo.bar.com", path: { prefix: "/blog" } },
          to: "default.blog.80.da39a3ee5e",
          hashKey: [{ header: "x-session" }, { cookie: "X-Contour-Session-Affinity" }],
          options: {
            timeoutMs: false,
            attemptTimeoutMs: 2_000,
            retry: { maxAttempts: 4, on: ["connect", "refused", 503], baseDelayMs: 100, maxDelayMs: 1_000 },
          },
          requestHeaders: { set: { "x-request-start": { text: "{header.x-start}" } } },
        },
        { match: { host: "foo.bar.com" }, redirect: { status: 308, scheme: "https" } },
        { respond: { status: 404 } },
      ],
    },
  },
  {
    name: "JSON in the form of protobuf: names in camel case, numbers as texts",
    text: JSON.stringify({
      staticResources: {
        clusters: [
          {
            name: "one",
            connectTimeout: "1s",
            lbPolicy: "LEAST_REQUEST",
            leastRequestLbConfig: { choiceCount: "3" },
            loadAssignment: {
              clusterName: "one",
              endpoints: [{ lbEndpoints: [{ endpoint: { address: { socketAddress: { address: "127.0.0.1", portValue: 80 } } } }] }],
            },
          },
        ],
      },
    }),
    data: { services: { one: { picker: { leastRequest: { choices: 3 } }, connections: { connectTimeoutMs: 1_000 } } } },
  },
  {
    name: "a sidecar's as a control plane has written it, kept in a file",
    text: `
static_resources:
  listeners:
  - name: 0.0.0.0_9080
    traffic_direction: OUTBOUND
    address: { socket_address: { address: 0.0.0.0, port_value: 9080 } }${manager(`stat_prefix: outbound_0.0.0.0_9080
tracing: { client_sampling: { value: 100 }, random_sampling: { value: 1 } }
http_filters:
- name: envoy.filters.http.grpc_stats
  typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.grpc_stats.v3.FilterConfig }
- name: envoy.filters.http.cors
  typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors }
- name: envoy.filters.http.fault
  typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault }
- name: envoy.filters.http.router
  typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
route_config:
  name: "9080"
  validate_clusters: false
  virtual_hosts:
  - name: reviews.default.svc.cluster.local:9080
    domains: [reviews.default.svc.cluster.local, "reviews.default.svc.cluster.local:9080", reviews, "reviews:9080", reviews.default, "10.96.0.7", "10.96.0.7:9080"]
    include_request_attempt_count: true
    routes:
    - name: default
      match: { prefix: / }
      decorator: { operation: "reviews.default.svc.cluster.local:9080/*" }
      metadata: { filter_metadata: { istio: { config: /apis/reviews } } }
      route:
        weighted_clusters: { clusters: [{ name: "outbound|9080|v1|reviews.default.svc.cluster.local", weight: 90 }, { name: "outbound|9080|v2|reviews.default.svc.cluster.local", weight: 10 }] }
        timeout: 0s
        retry_policy: { retry_on: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes", num_retries: 2, retriable_status_codes: [503], host_selection_retry_max_attempts: "5", retry_host_predicate: [{ name: envoy.retry_host_predicates.previous_hosts, typed_config: { "@type": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate } }] }`)}
  clusters:
  - { name: "outbound|9080|v1|reviews.default.svc.cluster.local", type: STRICT_DNS, load_assignment: { cluster_name: a, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 10.0.0.1, port_value: 9080 } } } }] }] } }
  - { name: "outbound|9080|v2|reviews.default.svc.cluster.local", type: STRICT_DNS, load_assignment: { cluster_name: b, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 10.0.0.2, port_value: 9080 } } } }] }] } }
`,
    data: {
      routes: [
        {
          match: { host: ["reviews.default.svc.cluster.local", "reviews", "reviews.default", "10.96.0.7"] },
          split: { targets: [{ service: "outbound.9080.v1.reviews.default.svc.cluster.local", weight: 90 }, { weight: 10 }] },
          options: { timeoutMs: false, retry: { maxAttempts: 3, on: ["connect", "refused", 503] } },
        },
        { respond: { status: 404 } },
      ],
    },
  },
  {
    name: "a sidecar that a control plane configures",
    text: "dynamic_resources: { lds_config: { ads: {} }, cds_config: { ads: {} } }",
    refused: /ConfigSource\.ads is not supported: resources come from files here/,
  },
  {
    name: "a proxy of gRPC-Web",
    text: `
static_resources:
  listeners:
  - name: l
    address: { socket_address: { address: 0.0.0.0, port_value: 8080 } }${manager(`stat_prefix: i
route_config: { name: r, virtual_hosts: [{ name: v, domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: c, timeout: 0s, max_stream_duration: { grpc_timeout_header_max: 0s } } }] }] }
http_filters:
- name: envoy.filters.http.grpc_web
  typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.grpc_web.v3.GrpcWeb }`)}
  clusters: [{ name: c, type: LOGICAL_DNS, load_assignment: { cluster_name: c, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: localhost, port_value: 9090 } } } }] }] } }]
`,
    refused: /HttpFilter\.typed_config: the type "envoy\.extensions\.filters\.http\.grpc_web\.v3\.GrpcWeb" is not supported/,
  },
  {
    name: "a proxy of TCP",
    text: `
static_resources:
  listeners:
  - name: l
    address: { socket_address: { address: 0.0.0.0, port_value: 8080 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: t, cluster: c }
  clusters: []
`,
    refused: /Filter\.typed_config: connections of TCP are not proxied/,
  },
];
