import type { Behaviour } from "../../instances.ts";
import type { ParityCase, Probe } from "../../parity-case.ts";

const ok = (count: number): readonly Behaviour[] => Array.from({ length: count }, () => "ok");
const users = (count: number): readonly Probe[] =>
  Array.from({ length: count }, (_, index) => ({
    path: "/",
    headers: { "x-user": `user-${index}`, cookie: `session=s${index}; other=1` },
  }));
const byHeader = '{ match: { prefix: "/" }, route: { cluster: "@one", hash_policy: [{ header: { header_name: x-user } }] } }';

function balanced(name: string, about: string, fields: string, more: Partial<ParityCase>): ParityCase {
  return {
    name: `balance/${name}`,
    about,
    instances: ok(3),
    compare: "counts",
    probes: [{ path: "/", times: 30 }],
    ...more,
    file: { fields: { one: fields }, ...more.file },
  };
}

const endpoint = (place: number, more = ""): string =>
  `{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: @${place} } } }${more === "" ? "" : `, ${more}`} }`;
const lists = (...all: readonly string[]): string => `endpoints: [${all.join(", ")}]`;
const list = (...all: readonly string[]): string => `{ lb_endpoints: [${all.join(", ")}] }`;
const extension = (type: string, fields = ""): string =>
  `load_balancing_policy: { policies: [{ typed_extension_config: { name: p, typed_config: { "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.${type}${fields === "" ? "" : `, ${fields}`} } } }] }`;
const weighted = lists(
  list(endpoint(0, "load_balancing_weight: 1"), endpoint(1, "load_balancing_weight: 2"), endpoint(2, "load_balancing_weight: 3")),
);
const versions = lists(
  list(
    endpoint(0, "metadata: { filter_metadata: { envoy.lb: { version: v1 } } }"),
    endpoint(1, "metadata: { filter_metadata: { envoy.lb: { version: v2 } } }"),
    endpoint(2, "metadata: { filter_metadata: { envoy.lb: { version: v2 } } }"),
  ),
);
const wanted = (version: string): string =>
  `{ match: { prefix: "/" }, route: { cluster: "@one", metadata_match: { filter_metadata: { envoy.lb: { version: ${version} } } } } }`;

/** Which instance gets a request. */
export const balancingCases: readonly ParityCase[] = [
  balanced("round-robin", "lb_policy ROUND_ROBIN", "lb_policy: ROUND_ROBIN", {}),
  balanced("default", "lb_policy", "connect_timeout: 1s", {}),
  balanced("round-robin-extension", "load_balancing_policy round_robin", extension("round_robin.v3.RoundRobin"), {}),
  balanced("weights", "load_balancing_weight", "lb_policy: ROUND_ROBIN", {
    probes: [{ path: "/", times: 60 }],
    file: { assignment: weighted },
  }),
  balanced("random", "lb_policy RANDOM", "lb_policy: RANDOM", { compare: "shares", probes: [{ path: "/", times: 300 }] }),
  balanced("least-request", "lb_policy LEAST_REQUEST", "lb_policy: LEAST_REQUEST", {
    compare: "shares",
    probes: [{ path: "/", times: 300 }],
  }),
  balanced("least-request-weights", "LEAST_REQUEST with weights", "lb_policy: LEAST_REQUEST", {
    compare: "shares",
    probes: [{ path: "/", times: 300 }],
    file: { assignment: weighted },
  }),
  balanced(
    "least-request-busy",
    "least_request_lb_config.choice_count",
    "lb_policy: LEAST_REQUEST, least_request_lb_config: { choice_count: 20 }",
    { instances: ["slow", "ok", "slow"], compare: "attempts", probes: [{ path: "/", times: 6 }] },
  ),
  balanced("ring-hash", "lb_policy RING_HASH, hash_policy.header", "lb_policy: RING_HASH", {
    instances: ok(5),
    compare: "instance",
    probes: users(60),
    file: { routes: byHeader },
  }),
  balanced(
    "ring-hash-size",
    "ring_hash_lb_config",
    "lb_policy: RING_HASH, ring_hash_lb_config: { minimum_ring_size: 64, maximum_ring_size: 128 }",
    { instances: ok(5), compare: "instance", probes: users(60), file: { routes: byHeader } },
  ),
  balanced("ring-hash-weights", "RING_HASH with weights", "lb_policy: RING_HASH", {
    compare: "instance",
    probes: users(60),
    file: { routes: byHeader, assignment: weighted },
  }),
  balanced("ring-hash-extension", "load_balancing_policy ring_hash", extension("ring_hash.v3.RingHash", "minimum_ring_size: 256"), {
    compare: "instance",
    probes: users(40),
    file: { routes: byHeader },
  }),
  balanced(
    "ring-hash-hostname",
    "use_hostname_for_hashing",
    "type: STRICT_DNS, lb_policy: RING_HASH, common_lb_config: { consistent_hashing_lb_config: { use_hostname_for_hashing: true } }",
    {
      compare: "instance",
      probes: users(40),
      file: {
        routes: byHeader,
        assignment: lists(
          list(
            ...[0, 1, 2].map(
              (place) =>
                `{ endpoint: { hostname: node-${place}, address: { socket_address: { address: 127.0.0.1, port_value: @${place} } } } }`,
            ),
          ),
        ),
      },
    },
  ),
  balanced("ring-hash-key", "metadata hash_key", "lb_policy: RING_HASH", {
    compare: "instance",
    probes: users(40),
    file: {
      routes: byHeader,
      assignment: lists(
        list(...[0, 1, 2].map((place) => endpoint(place, `metadata: { filter_metadata: { envoy.lb: { hash_key: key-${place} } } }`))),
      ),
    },
  }),
  balanced("ring-hash-cookie", "hash_policy.cookie", "lb_policy: RING_HASH", {
    compare: "instance",
    probes: users(40),
    file: { routes: '{ match: { prefix: "/" }, route: { cluster: "@one", hash_policy: [{ cookie: { name: session } }] } }' },
  }),
  balanced("ring-hash-query", "hash_policy.query_parameter", "lb_policy: RING_HASH", {
    compare: "instance",
    probes: Array.from({ length: 40 }, (_, index) => ({ path: `/?u=user-${index}` })),
    file: { routes: '{ match: { prefix: "/" }, route: { cluster: "@one", hash_policy: [{ query_parameter: { name: u } }] } }' },
  }),
  balanced("ring-hash-terminal", "hash_policy.terminal", "lb_policy: RING_HASH", {
    compare: "instance",
    probes: [...users(20), ...users(20).map(({ path, headers }) => ({ path, headers: { cookie: headers?.["cookie"] ?? "" } }))],
    file: {
      routes:
        '{ match: { prefix: "/" }, route: { cluster: "@one", hash_policy: [{ header: { header_name: x-user }, terminal: true }, { cookie: { name: session } }] } }',
    },
  }),
  balanced("ring-hash-several", "hash_policy", "lb_policy: RING_HASH", {
    compare: "instance",
    probes: users(30),
    file: {
      routes:
        '{ match: { prefix: "/" }, route: { cluster: "@one", hash_policy: [{ header: { header_name: x-user } }, { cookie: { name: session } }] } }',
    },
    difference: "Envoy makes one hash of all keys; here the first key that a request has counts",
  }),
  balanced("maglev", "lb_policy MAGLEV", "lb_policy: MAGLEV", {
    instances: ok(5),
    compare: "instance",
    probes: users(60),
    file: { routes: byHeader },
  }),
  balanced("maglev-size", "maglev_lb_config.table_size", "lb_policy: MAGLEV, maglev_lb_config: { table_size: 251 }", {
    instances: ok(5),
    compare: "instance",
    probes: users(60),
    file: { routes: byHeader },
  }),
  balanced("maglev-weights", "MAGLEV with weights", "lb_policy: MAGLEV", {
    compare: "instance",
    probes: users(60),
    file: { routes: byHeader, assignment: weighted },
  }),
  balanced("maglev-extension", "load_balancing_policy maglev", extension("maglev.v3.Maglev", "table_size: 65537"), {
    compare: "instance",
    probes: users(40),
    file: { routes: byHeader },
  }),
  balanced("hash-without-key", "RING_HASH without a key", "lb_policy: RING_HASH", {
    compare: "shares",
    probes: [{ path: "/", times: 200 }],
    file: { routes: byHeader },
  }),
  balanced("priority", "priority", "lb_policy: ROUND_ROBIN", {
    file: { assignment: lists(list(endpoint(0), endpoint(1)), `{ priority: 1, lb_endpoints: [${endpoint(2)}] }`) },
  }),
  balanced("unhealthy", "health_status", "lb_policy: ROUND_ROBIN, common_lb_config: { healthy_panic_threshold: { value: 0 } }", {
    file: { assignment: lists(list(endpoint(0), endpoint(1, "health_status: UNHEALTHY"), endpoint(2, "health_status: DRAINING"))) },
  }),
  balanced("panic", "healthy_panic_threshold", "lb_policy: ROUND_ROBIN", {
    file: { assignment: lists(list(endpoint(0), endpoint(1, "health_status: UNHEALTHY"), endpoint(2, "health_status: UNHEALTHY"))) },
    difference: "an endpoint that the file calls unhealthy is left out; Envoy uses it in a panic",
  }),
  balanced("locality-weights", "locality_weighted_lb_config", "lb_policy: RANDOM, common_lb_config: { locality_weighted_lb_config: {} }", {
    compare: "shares",
    probes: [{ path: "/", times: 300 }],
    file: {
      assignment: lists(
        `{ locality: { zone: a }, load_balancing_weight: 3, lb_endpoints: [${endpoint(0)}] }`,
        `{ locality: { zone: b }, load_balancing_weight: 1, lb_endpoints: [${endpoint(1)}, ${endpoint(2)}] }`,
      ),
    },
  }),
  balanced("localities", "locality", "lb_policy: ROUND_ROBIN", {
    file: {
      assignment: lists(
        `{ locality: { zone: a }, lb_endpoints: [${endpoint(0)}] }`,
        `{ locality: { zone: b }, lb_endpoints: [${endpoint(1)}, ${endpoint(2)}] }`,
      ),
    },
  }),
  balanced(
    "subset",
    "lb_subset_config, metadata_match",
    "lb_subset_config: { fallback_policy: NO_FALLBACK, subset_selectors: [{ keys: [version] }] }",
    { file: { assignment: versions, routes: wanted("v2") } },
  ),
  balanced(
    "subset-empty",
    "lb_subset_config NO_FALLBACK",
    "lb_subset_config: { fallback_policy: NO_FALLBACK, subset_selectors: [{ keys: [version] }] }",
    { compare: "each", probes: [{ path: "/" }], file: { assignment: versions, routes: wanted("v3") } },
  ),
  balanced(
    "subset-any",
    "lb_subset_config ANY_ENDPOINT",
    "lb_subset_config: { fallback_policy: ANY_ENDPOINT, subset_selectors: [{ keys: [version] }] }",
    { file: { assignment: versions, routes: wanted("v3") } },
  ),
  balanced(
    "subset-default",
    "lb_subset_config DEFAULT_SUBSET",
    "lb_subset_config: { fallback_policy: DEFAULT_SUBSET, default_subset: { version: v1 }, subset_selectors: [{ keys: [version] }] }",
    { file: { assignment: versions } },
  ),
  balanced("subset-not-configured", "metadata_match without lb_subset_config", "lb_policy: ROUND_ROBIN", {
    file: { assignment: versions, routes: wanted("v2") },
  }),
  {
    name: "balance/weighted-clusters",
    about: "weighted_clusters",
    instances: ok(2),
    compare: "shares",
    probes: [{ path: "/", times: 300 }],
    file: {
      clusters: { two: [1] },
      assignment: lists(list(endpoint(0))),
      routes:
        '{ match: { prefix: "/" }, route: { weighted_clusters: { clusters: [{ name: "@one", weight: 80 }, { name: "@two", weight: 20 }] } } }',
    },
  },
  {
    name: "balance/weighted-zero",
    about: "weighted_clusters",
    instances: ok(2),
    compare: "counts",
    probes: [{ path: "/", times: 20 }],
    file: {
      clusters: { two: [1] },
      assignment: lists(list(endpoint(0))),
      routes:
        '{ match: { prefix: "/" }, route: { weighted_clusters: { clusters: [{ name: "@one", weight: 0 }, { name: "@two", weight: 5 }] } } }',
    },
  },
  {
    name: "balance/cluster-header",
    about: "cluster_header",
    instances: ok(2),
    compare: "instance",
    probes: [
      { path: "/", headers: { "x-cluster": "balance-cluster-header-two" } },
      { path: "/", headers: { "x-cluster": "balance-cluster-header-one" } },
      { path: "/", headers: { "x-cluster": "none" } },
      { path: "/" },
    ],
    file: {
      clusters: { two: [1] },
      assignment: lists(list(endpoint(0))),
      routes: '{ match: { prefix: "/" }, route: { cluster_header: x-cluster } }',
    },
  },
];
