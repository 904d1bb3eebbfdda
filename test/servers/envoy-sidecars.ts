import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { requireServer } from "./available.ts";
import type { ProxyEndpoint } from "./nginx.ts";
import { startOnFreePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";

/** The certificate of one sidecar, its key, and the authority that it trusts; PEM. */
export interface SidecarCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** A rule of the serving sidecar: an allowed identity, with the methods and the beginning of the path. */
export interface SidecarRule {
  readonly id: string;
  readonly identity: string;
  readonly method: string;
  readonly pathPrefix: string;
}

/** Two sidecars that speak mutual TLS with each other, as a mesh of proxies puts them between a client and a server. */
export interface SidecarPair {
  readonly client: ServerProcess;
  readonly server: ServerProcess;
  /** The port of the client's sidecar, which takes clear text. */
  readonly port: number;
  /** The port of the server's sidecar, which takes mutual TLS. */
  readonly serverPort: number;
}

/** Options of {@link startSidecars}. */
export interface SidecarOptions {
  readonly client: SidecarCertificate;
  readonly server: SidecarCertificate & { readonly identity: string };
  readonly rules: readonly SidecarRule[];
  /** The server behind the second sidecar. */
  readonly endpoint: ProxyEndpoint;
}

const host = "127.0.0.1";
const extension = (name: string): string => `type.googleapis.com/envoy.extensions.${name}`;
const address = (port: number): object => ({ socket_address: { address: host, port_value: port } });

/**
 * Starts both with one worker thread: the server's demands a client certificate and asks its rules (RBAC) of each request, the client's
 * demands the identity of the server's. Requests have HTTP/1.1 on all ways, as those of a service whose protocol is `http` in Consul.
 */
export async function startSidecars({ client, server, rules, endpoint }: SidecarOptions): Promise<SidecarPair & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const inbound = stack.use(
    await startSidecar(server, (port) => ({
      transport: {
        name: "envoy.transport_sockets.tls",
        typed_config: {
          "@type": extension("transport_sockets.tls.v3.DownstreamTlsContext"),
          require_client_certificate: true,
          common_tls_context: tlsContext(),
        },
      },
      filters: [authorization(rules)],
      port,
      upstream: { endpoint },
    })),
  );
  const outbound = stack.use(
    await startSidecar(client, (port) => ({
      filters: [],
      port,
      upstream: {
        endpoint: { host, port: inbound.port },
        transport: {
          name: "envoy.transport_sockets.tls",
          typed_config: {
            "@type": extension("transport_sockets.tls.v3.UpstreamTlsContext"),
            common_tls_context: tlsContext(server.identity),
          },
        },
      },
    })),
  );
  const both = stack.move();
  return {
    client: outbound,
    server: inbound,
    port: outbound.port,
    serverPort: inbound.port,
    [Symbol.asyncDispose]: () => both.disposeAsync(),
  };
}

interface SidecarConfig {
  readonly port: number;
  readonly transport?: object;
  readonly filters: readonly object[];
  readonly upstream: { readonly endpoint: ProxyEndpoint; readonly transport?: object };
}

async function startSidecar(
  { certificate, key, authority }: SidecarCertificate,
  config: (port: number) => SidecarConfig,
): Promise<ServerProcess & { readonly port: number }> {
  const program = join(requireServer("envoy"), "envoy");
  return startOnFreePorts(2, host, async ([port = 0, adminPort = 0]) => {
    const server = await startProcess({
      name: "envoy",
      async prepare(directory) {
        await writeFile(join(directory, "envoy.json"), JSON.stringify(bootstrap(config(port), adminPort)));
        await writeFile(join(directory, "certificate.pem"), certificate);
        await writeFile(join(directory, "key.pem"), key);
        await writeFile(join(directory, "authority.pem"), authority);
        return { file: program, args: ["-c", "envoy.json", "--concurrency", "1", "-l", "error", "--disable-hot-restart"] };
      },
      async probe(signal) {
        const ready = await fetch(`http://${host}:${adminPort}/ready`, { signal });
        if ((await ready.text()).trim() !== "LIVE") throw new Error(`not ready: ${ready.status}`);
      },
    });
    return Object.assign(server, { port });
  });
}

/** TLS 1.3 with the certificate of the sidecar; `identity` is the only one that the other end may have. */
function tlsContext(identity?: string): object {
  return {
    // As a client, Envoy speaks 1.2 at most unless it is told.
    tls_params: { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_3" },
    tls_certificates: [{ certificate_chain: { filename: "certificate.pem" }, private_key: { filename: "key.pem" } }],
    validation_context: {
      trusted_ca: { filename: "authority.pem" },
      ...(identity !== undefined && { match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: identity } }] }),
    },
  };
}

function authorization(rules: readonly SidecarRule[]): object {
  const policies = rules.map(({ id, identity, method, pathPrefix }) => [
    id,
    {
      principals: [{ authenticated: { principal_name: { exact: identity } } }],
      permissions: [
        {
          and_rules: {
            rules: [{ header: { name: ":method", string_match: { exact: method } } }, { url_path: { path: { prefix: pathPrefix } } }],
          },
        },
      ],
    },
  ]);
  return {
    name: "envoy.filters.http.rbac",
    typed_config: { "@type": extension("filters.http.rbac.v3.RBAC"), rules: { action: "ALLOW", policies: Object.fromEntries(policies) } },
  };
}

function bootstrap({ port, transport, filters, upstream }: SidecarConfig, adminPort: number): object {
  const manager = {
    "@type": extension("filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "sidecar",
    codec_type: "AUTO",
    // Tracing and access logs are off, as in a sidecar that is meant to be cheap.
    generate_request_id: false,
    route_config: {
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "service", timeout: "10s" } }] }],
    },
    http_filters: [
      ...filters,
      { name: "envoy.filters.http.router", typed_config: { "@type": extension("filters.http.router.v3.Router") } },
    ],
  };
  return {
    admin: { address: address(adminPort) },
    static_resources: {
      listeners: [
        {
          name: "sidecar",
          address: address(port),
          filter_chains: [
            {
              filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }],
              ...(transport !== undefined && { transport_socket: transport }),
            },
          ],
        },
      ],
      clusters: [
        {
          name: "service",
          type: "STATIC",
          connect_timeout: "1s",
          ...(upstream.transport !== undefined && { transport_socket: upstream.transport }),
          load_assignment: {
            cluster_name: "service",
            endpoints: [
              {
                lb_endpoints: [
                  { endpoint: { address: { socket_address: { address: upstream.endpoint.host, port_value: upstream.endpoint.port } } } },
                ],
              },
            ],
          },
        },
      ],
    },
  };
}
