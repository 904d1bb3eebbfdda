/** A file with one cluster, `one`, of one instance, and these lines among its fields. */
export function clusterFile(lines = ""): string {
  return `static_resources:
  clusters:
  - name: one
    load_assignment: { cluster_name: one, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: 9 } } } }] }] }
${lines.replace(/^/gm, "    ")}
`;
}

/** The endpoints of an assignment, at these ports of this machine. */
export function assignment(name: string, ports: readonly number[]): string {
  const endpoints = ports.map((port) => `{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${port} } } } }`);
  return `{ cluster_name: ${name}, endpoints: [{ lb_endpoints: [${endpoints.join(", ")}] }] }`;
}

/** Clusters `one` and `two`, and a listener whose one virtual host has these routes (in YAML's flow form), behind these filters. */
export function routeFile(routes: string, filters = ""): string {
  return tableFile(`virtual_hosts: [{ name: all, domains: ["*"], routes: [${routes}] }]`, filters);
}

/** Ports of this machine in a {@link tableFile}: of the listener, and of the instance of `one`. */
export interface FilePorts {
  readonly listener?: number;
  readonly one?: number;
}

/** The same with a whole table of routes, in YAML's flow form. */
export function tableFile(table: string, filters = "", ports: FilePorts = {}): string {
  const router =
    "{ name: envoy.filters.http.router, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router } }";
  return `static_resources:
  clusters:
  - { name: one, load_assignment: ${assignment("one", [ports.one ?? 9])} }
  - { name: two, load_assignment: ${assignment("two", [10])} }
  listeners:
  - name: http
    address: { socket_address: { address: 127.0.0.1, port_value: ${ports.listener ?? 8080} } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: http
          route_config: { name: local, ${table} }
          http_filters:
${filters.replace(/^/gm, "        ")}
          - ${router}
`;
}

/** A file that no version of Envoy takes, and people have all the same. */
export const withSlips = `static_resources:
  clusters:
  - name: myservice
    connect_timeout: 0.25s
    type: STRICT_DNS
    dns_lookup_family: INTERNET
    http2_protocol: {}
  listeners:
  - name: listener_0
    address:
      socket_address:
        address: 0.0.0.0
        port_value: 80
    filter_chains:
    - filters:
      - name: envoy.http_connection_manager
        ty: envoy.connections.http.connection_manager
        config:
          codec: http2
          route_config:
            name: local_route
            virtual_hosts:
            - name: local_service
              domains:
              - "*"
              routes:
              - match: { prefix: "/" }
                route:
                  cluster: myservice
`;
