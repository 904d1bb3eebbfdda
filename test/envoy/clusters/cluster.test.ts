import { describe, expect, it } from "vitest";
import { importEnvoyText } from "../../../src/envoy/envoy.ts";
import { clusterFile } from "../files.ts";

/** What one cluster comes to, by the lines among its fields. */
async function dataOf(lines: string): Promise<{ readonly service: unknown; readonly data: Readonly<Record<string, unknown>> }> {
  const { data } = await importEnvoyText(clusterFile(lines), "f.yaml");
  return { service: (data["services"] as Readonly<Record<string, unknown>>)["one"], data };
}

const tls = (fields: string): string =>
  `transport_socket: { name: envoy.transport_sockets.tls, typed_config: { "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, ${fields} } }`;
const httpOptions = (fields: string): string =>
  `typed_extension_protocol_options: { envoy.extensions.upstreams.http.v3.HttpProtocolOptions: { "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, ${fields} } }`;
const ca = "trusted_ca: { filename: ca.pem }";

describe("a cluster as a service", () => {
  it.each<[field: string, lines: string, service: object]>([
    ["connect_timeout", "connect_timeout: 0.25s", { connections: { connectTimeoutMs: 250 } }],
    [
      "no connect_timeout",
      "",
      { connections: { connectTimeoutMs: 5_000 }, breaker: false, ejection: false, protocol: "h1", attemptTimeoutMs: false },
    ],
    ["RANDOM", "lb_policy: RANDOM", { picker: "random" }],
    [
      "LEAST_REQUEST",
      "lb_policy: LEAST_REQUEST\nleast_request_lb_config: { choice_count: 5 }",
      { picker: { leastRequest: { choices: 5 } } },
    ],
    [
      "RING_HASH",
      "lb_policy: RING_HASH\nring_hash_lb_config: { minimum_ring_size: 64, maximum_ring_size: 128 }",
      { picker: { ringHash: { virtualNodes: 1, minRingSize: 64, maxRingSize: 128 } } },
    ],
    ["MAGLEV", "lb_policy: MAGLEV\nmaglev_lb_config: { table_size: 251 }", { picker: { maglev: { tableSize: 251 } } }],
    [
      "hash_balance_factor",
      "lb_policy: MAGLEV\ncommon_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: 150 } }",
      { picker: { maglev: { balanceFactor: 150 } } },
    ],
    [
      "slow_start_config",
      "round_robin_lb_config: { slow_start_config: { slow_start_window: 60s, aggression: { default_value: 2 } } }",
      { balancing: { slowStart: { windowMs: 60_000, minRatio: 0.1, aggression: 2 } } },
    ],
    [
      "healthy_panic_threshold",
      "common_lb_config: { healthy_panic_threshold: { value: 25 } }",
      { balancing: { priorities: { panicRatio: 0.25, overprovisioning: 1.4 } } },
    ],
    [
      "circuit_breakers of HTTP/1.1",
      "circuit_breakers: { thresholds: [{ max_connections: 10, max_requests: 20, max_pending_requests: 5 }] }",
      { concurrency: { maxInFlight: 10, maxQueued: 5, queueTimeoutMs: 15_000 } },
    ],
    [
      "circuit_breakers of HTTP/2",
      `circuit_breakers: { thresholds: [{ max_connections: 1, max_requests: 20 }] }\n${httpOptions("explicit_http_config: { http2_protocol_options: {} }")}`,
      { protocol: "h2", concurrency: { maxInFlight: 20, maxQueued: 0 } },
    ],
    [
      "retry_budget",
      "circuit_breakers: { thresholds: [{ retry_budget: { budget_percent: { value: 25 }, min_retry_concurrency: 3 } }] }",
      { retry: { maxAttempts: 1, budget: { ratio: 0.25, minRetriesPerSecond: 3 } } },
    ],
    [
      "outlier_detection",
      "outlier_detection: {}",
      {
        breaker: { consecutiveFailures: 5, breakMs: 30_000, maxBreakMs: 300_000 },
        ejection: { intervalMs: 10_000, maxEjectionPercent: 10, successRate: { deviations: 1.9 }, failurePercentage: false },
      },
    ],
    [
      "outlier_detection in part",
      "outlier_detection: { enforcing_consecutive_5xx: 0, enforcing_success_rate: 0, enforcing_failure_percentage: 100, failure_percentage_threshold: 60 }",
      {
        breaker: { consecutiveFailures: Number.MAX_SAFE_INTEGER },
        ejection: { successRate: false, failurePercentage: { threshold: 60, minInstances: 5 } },
      },
    ],
    [
      "http_health_check",
      "health_checks: [{ timeout: 1s, interval: 5s, unhealthy_threshold: 2, healthy_threshold: 1, interval_jitter_percent: 20, http_health_check: { path: /up, expected_statuses: [{ start: 200, end: 300 }] } }]",
      { healthCheck: { type: "http", path: "/up", expectedStatuses: [[200, 299]], intervalMs: 5_000, timeoutMs: 1_000, jitter: 0.2 } },
    ],
    [
      "grpc_health_check",
      "health_checks: [{ timeout: 1s, interval: 5s, unhealthy_threshold: 2, healthy_threshold: 1, grpc_health_check: { service_name: a } }]",
      { healthCheck: { type: "grpc", service: "a" } },
    ],
    [
      "tcp_health_check",
      "health_checks: [{ timeout: 1s, interval: 5s, unhealthy_threshold: 2, healthy_threshold: 1, tcp_health_check: {} }]",
      { healthCheck: { type: "tcp" } },
    ],
    ["auto_config", httpOptions("auto_config: { http2_protocol_options: {} }"), { protocol: "auto" }],
    [
      "common_http_protocol_options",
      httpOptions(
        "common_http_protocol_options: { idle_timeout: 30s, max_connection_duration: 60s, max_requests_per_connection: 9 }, explicit_http_config: { http_protocol_options: {} }",
      ),
      { connections: { maxIdleMs: 30_000, maxAgeMs: 60_000, maxRequests: 9 } },
    ],
    ["sni", tls(`sni: a.example, common_tls_context: { validation_context: { ${ca} } }`), { peer: { mode: "strict", name: "a.example" } }],
    [
      "a SPIFFE id",
      tls(
        `common_tls_context: { validation_context: { ${ca}, match_typed_subject_alt_names: [{ san_type: URI, matcher: { exact: "spiffe://a.example/b" } }] } }`,
      ),
      { peer: { mode: "strict", id: "spiffe://a.example/b" } },
    ],
  ])("has its %s", async (_field, lines, service) => {
    expect((await dataOf(lines)).service).toMatchObject(service);
  });

  it("has authorities as tls, and with a certificate an identity, by files", async () => {
    expect((await dataOf(tls(`common_tls_context: { validation_context: { ${ca} } }`))).data["tls"]).toEqual({ ca: `\${file:ca.pem}` });
    const { data } = await dataOf(
      tls(
        `common_tls_context: { tls_certificates: [{ certificate_chain: { filename: c.pem }, private_key: { filename: k.pem } }], validation_context: { ${ca} } }`,
      ),
    );
    expect(data).toMatchObject({ identity: { files: { cert: "c.pem", key: "k.pem", ca: "ca.pem" } }, identityMinVersion: "TLSv1.2" });
  });

  it.each<[what: string, lines: string, problem: RegExp]>([
    [
      "a key in the file, without showing it",
      tls(`common_tls_context: { tls_certificates: [{ certificate_chain: { filename: c.pem }, private_key: { inline_string: SECRET } }] }`),
      /^f\.yaml:5:\d+: private_key must be a file(?!.*SECRET)/,
    ],
    [
      "a pattern of names",
      tls(
        `common_tls_context: { validation_context: { match_typed_subject_alt_names: [{ san_type: DNS, matcher: { suffix: .example } }] } }`,
      ),
      /must be exact: a pattern of names would let others in/,
    ],
    [
      "a name beside another SNI",
      tls(
        `sni: a.example, common_tls_context: { validation_context: { match_typed_subject_alt_names: [{ san_type: DNS, matcher: { exact: b.example } }] } }`,
      ),
      /must carry the name that the handshake asks for: "a\.example", not "b\.example"/,
    ],
    [
      "a certificate that is known by its hash",
      tls("common_tls_context: { validation_context: { verify_certificate_hash: [ab] } }"),
      /verify_certificate_hash is not supported/,
    ],
    [
      "two checks",
      "health_checks: [{ timeout: 1s, interval: 5s, unhealthy_threshold: 2, healthy_threshold: 1, tcp_health_check: {} }, { timeout: 1s, interval: 5s, unhealthy_threshold: 2, healthy_threshold: 1, tcp_health_check: {} }]",
      /one check decides; there are several/,
    ],
  ])("refuses %s", async (_what, lines, problem) => {
    await expect(dataOf(lines)).rejects.toThrow(problem);
  });
});
