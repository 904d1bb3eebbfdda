import type { ProxyEndpoint } from "./nginx.ts";

const type = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;

const address = (host: string, port: number): object => ({ socket_address: { address: host, port_value: port } });

const manager = (): object => ({
  "@type": type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
  stat_prefix: "sidecar",
  codec_type: "AUTO",
  // Tracing and access logs are off, as in a sidecar that is meant to be cheap.
  generate_request_id: false,
  route_config: {
    virtual_hosts: [
      {
        name: "all",
        domains: ["*"],
        routes: [
          {
            match: { prefix: "/" },
            route: {
              cluster: "service",
              timeout: "10s",
              retry_policy: {
                retry_on: "connect-failure,refused-stream,reset,gateway-error",
                num_retries: 2,
                per_try_timeout: "2s",
                // Not to an instance that was tried already, as Istio configures its sidecars.
                retry_host_predicate: [
                  {
                    name: "envoy.retry_host_predicates.previous_hosts",
                    typed_config: { "@type": type("retry.host.previous_hosts.v3.PreviousHostsPredicate") },
                  },
                ],
                host_selection_retry_max_attempts: 5,
              },
            },
          },
        ],
      },
    ],
  },
  http_filters: [{ name: "envoy.filters.http.router", typed_config: { "@type": type("filters.http.router.v3.Router") } }],
});

/** The configuration of an Envoy in front of `endpoints`, with the retries and ejections that a mesh gives its sidecars. */
export const envoyBootstrap = (host: string, port: number, adminPort: number, endpoints: readonly ProxyEndpoint[]): object => ({
  admin: { address: address(host, adminPort) },
  static_resources: {
    listeners: [
      {
        name: "sidecar",
        address: address(host, port),
        filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager() }] }],
      },
    ],
    clusters: [
      {
        name: "service",
        type: "STATIC",
        connect_timeout: "1s",
        lb_policy: "ROUND_ROBIN",
        circuit_breakers: {
          thresholds: [
            { max_connections: 4096, max_pending_requests: 4096, max_requests: 4096, retry_budget: { budget_percent: { value: 20 } } },
          ],
        },
        outlier_detection: {
          consecutive_5xx: 5,
          consecutive_gateway_failure: 5,
          interval: "1s",
          base_ejection_time: "1s",
          max_ejection_percent: 50,
        },
        load_assignment: {
          cluster_name: "service",
          endpoints: [{ lb_endpoints: endpoints.map((endpoint) => ({ endpoint: { address: address(endpoint.host, endpoint.port) } })) }],
        },
      },
    ],
  },
});

/** The configuration of an Envoy that speaks HTTP/2 on both sides, to its clients in clear text and by TLS, and ends a connection after 25 requests. */
export const http2Bootstrap = (
  host: string,
  { port, tlsPort, adminPort }: { readonly port: number; readonly tlsPort: number; readonly adminPort: number },
  endpoint: ProxyEndpoint,
): object => {
  const routes = [
    { match: { prefix: "/empty" }, direct_response: { status: 204 } },
    { match: { prefix: "/" }, route: { cluster: "service", timeout: "10s" } },
  ];
  const filter = {
    ...manager(),
    common_http_protocol_options: { max_requests_per_connection: 25 },
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes }] },
    http_filters: [
      { name: "envoy.filters.http.buffer", typed_config: { "@type": type("filters.http.buffer.v3.Buffer"), max_request_bytes: 65_536 } },
      { name: "envoy.filters.http.router", typed_config: { "@type": type("filters.http.router.v3.Router") } },
    ],
  };
  const listener = (name: string, at: number, transport: object) => ({
    name,
    address: address(host, at),
    filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: filter }], ...transport }],
  });
  const tls = {
    "@type": type("transport_sockets.tls.v3.DownstreamTlsContext"),
    common_tls_context: {
      alpn_protocols: ["h2", "http/1.1"],
      tls_certificates: [{ certificate_chain: { filename: "certificate.pem" }, private_key: { filename: "key.pem" } }],
    },
  };
  return {
    admin: { address: address(host, adminPort) },
    static_resources: {
      listeners: [
        listener("clear", port, {}),
        listener("tls", tlsPort, { transport_socket: { name: "envoy.transport_sockets.tls", typed_config: tls } }),
      ],
      clusters: [
        {
          name: "service",
          type: "STATIC",
          connect_timeout: "1s",
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": type("upstreams.http.v3.HttpProtocolOptions"),
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: "service",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(endpoint.host, endpoint.port) } }] }],
          },
        },
      ],
    },
  };
};
