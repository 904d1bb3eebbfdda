import type { ParityCase } from "../parity-case.ts";

/** A case with the ports of its instances. */
export interface PlacedCase {
  readonly parityCase: ParityCase;
  readonly ports: readonly number[];
}

/** `cases/routes.prefix` as a name that may stand in hosts and in clusters. */
export function labelOf({ name }: ParityCase): string {
  return name.replace(/[^a-z0-9]+/gi, "-").toLowerCase();
}

/** The host of a case. */
export function hostOf(parityCase: ParityCase): string {
  return `${labelOf(parityCase)}.test`;
}

/** A file of Envoy, in YAML, with the clusters and the virtual hosts of these cases. */
export function envoyFile(cases: readonly PlacedCase[], listenPort: number): string {
  return `static_resources:
  clusters:
${cases.flatMap(clustersOf).join("\n")}
  listeners:
  - name: http
    address: { socket_address: { address: 127.0.0.1, port_value: ${listenPort} } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: http
          route_config:
            name: local
            virtual_hosts:
${cases.map(virtualHostOf).join("\n")}
          http_filters:
          - name: envoy.filters.http.fault
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault }
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
`;
}

function clustersOf({ parityCase, ports }: PlacedCase): readonly string[] {
  const { clusters = {}, fields = {}, assignment } = parityCase.file;
  const own = Object.entries({ one: ports.map((_, index) => index), ...clusters }).map(([name, places]) => {
    const endpoints = places.map((place) => `{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: @${place} } } } }`);
    const assigned = name === "one" && assignment !== undefined ? assignment : `endpoints: [{ lb_endpoints: [${endpoints.join(", ")}] }]`;
    const more = fields[name] === undefined ? "" : `, ${fields[name]}`;
    return `  - { name: "@${name}", load_assignment: { cluster_name: "@${name}", ${assigned} }${more} }`;
  });
  return own.map((text) => filled(text, parityCase, ports));
}

function virtualHostOf({ parityCase, ports }: PlacedCase): string {
  const { routes = '{ match: { prefix: "/" }, route: { cluster: "@one" } }', virtualHost } = parityCase.file;
  const more = virtualHost === undefined ? "" : `, ${virtualHost}`;
  const domains = virtualHost?.includes("domains:") === true ? "" : ", domains: ['@host']";
  return filled(`            - { name: "@vhost"${domains}, routes: [${routes}]${more} }`, parityCase, ports);
}

function filled(text: string, parityCase: ParityCase, ports: readonly number[]): string {
  const label = labelOf(parityCase);
  return text
    .replace(/@(\d+)\b/g, (_whole, place: string) => String(ports[Number(place)]))
    .replaceAll("@host", hostOf(parityCase))
    .replace(/"@(?!type")([a-z]+)"/g, (_whole, name: string) => `"${label}-${name}"`);
}
