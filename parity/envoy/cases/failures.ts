import type { Behaviour } from "../../instances.ts";
import type { ParityCase, Probe } from "../../parity-case.ts";

const retrying = (policy: string, more = ""): string =>
  `{ match: { prefix: "/" }, route: { cluster: "@one", retry_policy: { ${policy} }${more === "" ? "" : `, ${more}`} } }`;
const get: Probe = { path: "/" };
const post: Probe = { path: "/", method: "POST", body: "x" };

function failing(
  name: string,
  about: string,
  instances: readonly Behaviour[],
  routes: string,
  probes: readonly Probe[] = [get, post],
  more: Partial<ParityCase> = {},
): ParityCase {
  return { name: `retry/${name}`, about, instances, compare: "attempts", probes, ...more, file: { routes, ...more.file } };
}

const words: readonly (readonly [word: string, behaviours: readonly Behaviour[]])[] = [
  ["5xx", [500, 502, 503, 504, "reset", "refuse", 429, 404]],
  ["gateway-error", [500, 502, 503, 504, "reset", "refuse"]],
  ["reset", [503, "reset", "refuse"]],
  ["connect-failure", [503, "reset", "refuse"]],
  ["retriable-4xx", [409, 404, 503]],
];

/** Retries, as the instances see them: one that always fails so, and three attempts at most. */
const retryCases: readonly ParityCase[] = [
  ...words.flatMap(([word, behaviours]) =>
    behaviours.map((behaviour) =>
      failing(
        `${word}-on-${behaviour}`,
        `retry_on ${word}`,
        [behaviour],
        retrying(`retry_on: ${word}, num_retries: 2, retry_back_off: { base_interval: 0.001s, max_interval: 0.002s }`),
      ),
    ),
  ),
  failing("none", "retry_policy", [503], '{ match: { prefix: "/" }, route: { cluster: "@one" } }'),
  failing("default-count", "num_retries", [503], retrying("retry_on: 5xx")),
  failing("zero", "num_retries", [503], retrying("retry_on: 5xx, num_retries: 0")),
  failing(
    "statuses",
    "retriable_status_codes",
    [429],
    retrying(
      "retry_on: retriable-status-codes, retriable_status_codes: [429, 418], num_retries: 2, retry_back_off: { base_interval: 0.001s }",
    ),
  ),
  failing(
    "statuses-others",
    "retriable_status_codes",
    [500],
    retrying("retry_on: retriable-status-codes, retriable_status_codes: [429], num_retries: 2"),
  ),
  failing(
    "several-words",
    "retry_on",
    [409],
    retrying('retry_on: "connect-failure,retriable-4xx", num_retries: 2, retry_back_off: { base_interval: 0.001s }'),
  ),
  failing(
    "other-instance",
    "retry_policy",
    [503, "ok"],
    retrying(
      "retry_on: 5xx, num_retries: 3, retry_back_off: { base_interval: 0.001s }, retry_host_predicate: [{ name: envoy.retry_host_predicates.previous_hosts, typed_config: { '@type': type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate } }], host_selection_retry_max_attempts: 5",
    ),
    [{ path: "/", times: 6 }],
    { compare: "statuses" },
  ),
  failing("of-host", "virtual_hosts.retry_policy", [503], '{ match: { prefix: "/" }, route: { cluster: "@one" } }', [get, post], {
    file: { virtualHost: "retry_policy: { retry_on: 5xx, num_retries: 1, retry_back_off: { base_interval: 0.001s } }" },
  }),
  failing(
    "per-try-timeout",
    "per_try_timeout",
    ["hang"],
    retrying("retry_on: 5xx, num_retries: 1, per_try_timeout: 0.15s, retry_back_off: { base_interval: 0.001s }"),
    [get],
  ),
  failing(
    "per-try-timeout-alone",
    "per_try_timeout",
    ["hang"],
    retrying("retry_on: connect-failure, num_retries: 1, per_try_timeout: 0.15s"),
    [get],
  ),
];

const timing = (
  name: string,
  about: string,
  instances: readonly Behaviour[],
  action: string,
  probes: readonly Probe[] = [get],
  difference?: string,
): ParityCase => ({
  name: `time/${name}`,
  about,
  instances,
  compare: "attempts",
  probes,
  file: { routes: `{ match: { prefix: "/" }, route: { cluster: "@one", ${action} } }` },
  ...(difference === undefined ? {} : { difference }),
});

const ejecting = (
  name: string,
  about: string,
  instances: readonly Behaviour[],
  detection: string,
  probes: readonly Probe[],
  more: Partial<ParityCase> = {},
): ParityCase => ({
  name: `eject/${name}`,
  about,
  instances,
  compare: "counts",
  probes,
  ...more,
  file: { fields: { one: `common_lb_config: { healthy_panic_threshold: { value: 0 } }, outlier_detection: { ${detection} }` } },
});

const check =
  "health_checks: [{ timeout: 0.5s, interval: 0.1s, unhealthy_threshold: 1, healthy_threshold: 1, http_health_check: { path: /health } }]";

/** Retries, time limits, ejections, checks, copies and faults. */
export const failureCases: readonly ParityCase[] = [
  ...retryCases,
  timing("timeout", "route.timeout", ["hang"], "timeout: 0.2s"),
  timing("timeout-enough", "route.timeout", ["slow"], "timeout: 5s"),
  timing("timeout-none", "route.timeout 0", ["slow"], "timeout: 0s"),
  timing(
    "timeout-with-retries",
    "route.timeout",
    [503],
    "timeout: 0.25s, retry_policy: { retry_on: 5xx, num_retries: 2, retry_back_off: { base_interval: 5s, max_interval: 5s } }",
    [get, post],
    "where no time is left for another attempt, the answer of the last one is returned at once",
  ),
  timing("no-instance", "an instance that is not there", ["refuse"], "timeout: 1s"),
  ejecting(
    "consecutive",
    "outlier_detection.consecutive_5xx",
    ["ok", 503, "ok"],
    "consecutive_5xx: 3, base_ejection_time: 30s, max_ejection_percent: 100",
    [{ path: "/", times: 30 }],
  ),
  ejecting(
    "gateway",
    "outlier_detection.consecutive_gateway_failure",
    ["ok", 502, "ok"],
    "consecutive_5xx: 0, enforcing_consecutive_5xx: 0, consecutive_gateway_failure: 2, enforcing_consecutive_gateway_failure: 100, max_ejection_percent: 100",
    [{ path: "/", times: 30 }],
  ),
  ejecting(
    "internal-error",
    "outlier_detection.consecutive_5xx and 500",
    ["ok", 500, "ok"],
    "consecutive_5xx: 3, max_ejection_percent: 100",
    [{ path: "/", times: 30 }],
    { difference: "500 is an answer: it counts for the sweeps by success rate, and not for failures in a row" },
  ),
  ejecting(
    "connect",
    "outlier_detection and no connection",
    ["ok", "refuse", "ok"],
    "consecutive_5xx: 1, max_ejection_percent: 100",
    [{ path: "/", times: 30 }],
    { compare: "counts" },
  ),
  ejecting("none", "without outlier_detection", ["ok", 503], "enforcing_consecutive_5xx: 0, enforcing_success_rate: 0", [
    { path: "/", times: 20 },
  ]),
  {
    name: "eject/not-configured",
    about: "without outlier_detection",
    instances: ["ok", 503, "ok"],
    compare: "counts",
    probes: [{ path: "/", times: 30 }],
    file: { fields: { one: "lb_policy: ROUND_ROBIN" } },
  },
  ejecting(
    "recovery",
    "outlier_detection.base_ejection_time",
    ["ok", 503],
    "consecutive_5xx: 1, interval: 0.1s, base_ejection_time: 1s, max_ejection_percent: 100",
    [
      { path: "/", times: 6 },
      { path: "/", times: 1, afterMs: 2_000, become: { 1: "ok" } },
      { path: "/", times: 12 },
    ],
    {
      compare: "statuses",
    },
  ),
  {
    name: "check/http",
    about: "health_checks.http_health_check",
    instances: ["ok", 503, "ok"],
    compare: "counts",
    probes: [{ path: "/" }, { path: "/", times: 12, afterMs: 800 }],
    file: { fields: { one: `common_lb_config: { healthy_panic_threshold: { value: 0 } }, ${check}` } },
  },
  {
    name: "mirror/all",
    about: "request_mirror_policies",
    instances: ["ok", "ok"],
    compare: "instance",
    probes: [get, post],
    file: {
      clusters: { two: [1] },
      assignment: "endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: @0 } } } }] }]",
      routes: '{ match: { prefix: "/" }, route: { cluster: "@one", request_mirror_policies: [{ cluster: "@two" }] } }',
    },
  },
  {
    name: "mirror/none",
    about: "request_mirror_policies.runtime_fraction",
    instances: ["ok", "ok"],
    compare: "instance",
    probes: [get],
    file: {
      clusters: { two: [1] },
      assignment: "endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: @0 } } } }] }]",
      routes:
        '{ match: { prefix: "/" }, route: { cluster: "@one", request_mirror_policies: [{ cluster: "@two", runtime_fraction: { default_value: { numerator: 0 } } }] } }',
    },
  },
  {
    name: "fault/abort",
    about: "HTTPFault.abort",
    instances: ["ok"],
    compare: "each",
    probes: [get, post],
    file: {
      virtualHost:
        'typed_per_filter_config: { envoy.filters.http.fault: { "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, abort: { http_status: 418, percentage: { numerator: 100 } } } }',
    },
  },
  {
    name: "fault/delay",
    about: "HTTPFault.delay",
    instances: ["ok"],
    compare: "each",
    probes: [get],
    file: {
      virtualHost:
        'typed_per_filter_config: { envoy.filters.http.fault: { "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, delay: { fixed_delay: 0.05s, percentage: { numerator: 100 } } } }',
    },
  },
  {
    name: "fault/share",
    about: "HTTPFault.abort.percentage",
    instances: ["ok"],
    compare: "shares",
    probes: [{ path: "/", times: 200 }],
    file: {
      virtualHost:
        'typed_per_filter_config: { envoy.filters.http.fault: { "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, abort: { http_status: 503, percentage: { numerator: 30 } } } }',
    },
  },
  {
    name: "protocol/h2",
    about: "typed_extension_protocol_options, HTTP/2",
    instances: ["h2", "h2"],
    compare: "counts",
    probes: [{ path: "/", times: 10 }],
    file: {
      fields: {
        one: 'typed_extension_protocol_options: { envoy.extensions.upstreams.http.v3.HttpProtocolOptions: { "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: { http2_protocol_options: {} } } }',
      },
    },
  },
];
