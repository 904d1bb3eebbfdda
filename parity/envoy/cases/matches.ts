import type { ParityCase, Probe } from "../../parity-case.ts";

const two = { clusters: { two: [1] }, instances: ["ok", "ok"] as const };

/** A case in which one route goes to the second instance, and all else to the first. */
function matching(name: string, about: string, match: string, probes: readonly Probe[], difference?: string): ParityCase {
  return {
    name: `match/${name}`,
    about,
    instances: two.instances,
    compare: "instance",
    probes,
    file: {
      clusters: { two: [1] },
      assignment: "endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: @0 } } } }] }]",
      routes: `{ match: ${match}, route: { cluster: "@two" } }, { match: { prefix: "/" }, route: { cluster: "@one" } }`,
    },
    ...(difference === undefined ? {} : { difference }),
  };
}

const paths = (...all: readonly string[]): readonly Probe[] => all.map((path) => ({ path }));
const withHeader = (name: string, ...values: readonly (string | undefined)[]): readonly Probe[] =>
  values.map((value) => ({ path: "/", headers: value === undefined ? {} : { [name]: value } }));
const header = (condition: string): string => `{ prefix: "/", headers: [{ name: x-user, ${condition} }] }`;
const query = (condition: string): string => `{ prefix: "/", query_parameters: [{ name: q, ${condition} }] }`;

/** Which route a request takes. */
export const matchCases: readonly ParityCase[] = [
  matching(
    "prefix",
    "route.match.prefix",
    '{ prefix: "/api" }',
    paths("/api", "/api/", "/api/x", "/apis", "/ap", "/x/api", "/API", "/api?x=1"),
  ),
  matching("prefix-slash", "route.match.prefix", '{ prefix: "/api/" }', paths("/api", "/api/", "/api/x", "/apis/")),
  matching("prefix-case", "route.match.case_sensitive", '{ prefix: "/api", case_sensitive: false }', paths("/API/x", "/Api", "/api", "/b")),
  matching("path", "route.match.path", '{ path: "/api" }', paths("/api", "/api?x=1", "/api/", "/api/x", "/Api")),
  matching("path-case", "route.match.case_sensitive", '{ path: "/api", case_sensitive: false }', paths("/API", "/aPi?q", "/API/")),
  matching(
    "separated",
    "route.match.path_separated_prefix",
    '{ path_separated_prefix: "/api/dev" }',
    paths("/api/dev", "/api/dev/", "/api/dev/v1", "/api/developer", "/api", "/api/dev?x=1"),
  ),
  matching(
    "regex",
    "route.match.safe_regex",
    '{ safe_regex: { regex: "/b[io]t/[0-9]+" } }',
    paths("/bit/1", "/bot/22", "/bet/1", "/bit/1/", "/bit/1?x=2", "/x/bit/1"),
  ),
  matching(
    "template",
    "route.match.path_match_policy",
    '{ path_match_policy: { name: t, typed_config: { "@type": type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig, path_template: "/users/{id}/orders" } } }',
    paths("/users/1/orders", "/users/a-b/orders", "/users/orders", "/users/1/orders/2", "/users//orders"),
  ),
  matching(
    "template-rest",
    "route.match.path_match_policy",
    '{ path_match_policy: { name: t, typed_config: { "@type": type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig, path_template: "/files/{rest=**}" } } }',
    paths("/files/a", "/files/a/b", "/files", "/file/a"),
    "`**` stands for no segment too: `/files` matches",
  ),
  matching("encoded", "route.match.path", '{ path: "/a%20b" }', paths("/a%20b", "/a b".replace(" ", "+"), "/a%20b/")),
  matching(
    "header-exact",
    "headers.string_match.exact",
    header("string_match: { exact: ann }"),
    withHeader("x-user", "ann", "anna", "Ann", undefined),
  ),
  matching(
    "header-ignore-case",
    "headers.string_match.ignore_case",
    header("string_match: { exact: ann, ignore_case: true }"),
    withHeader("x-user", "ANN", "anna", undefined),
  ),
  matching(
    "header-prefix",
    "headers.string_match.prefix",
    header("string_match: { prefix: an }"),
    withHeader("x-user", "ann", "an", "a", undefined),
  ),
  matching(
    "header-suffix",
    "headers.string_match.suffix",
    header("string_match: { suffix: nn }"),
    withHeader("x-user", "ann", "nna", undefined),
  ),
  matching(
    "header-contains",
    "headers.string_match.contains",
    header('string_match: { contains: "nn" }'),
    withHeader("x-user", "ann", "bob", undefined),
  ),
  matching(
    "header-regex",
    "headers.string_match.safe_regex",
    header('string_match: { safe_regex: { regex: "a.*" } }'),
    withHeader("x-user", "ann", "ba", "a", undefined),
  ),
  matching(
    "header-range",
    "headers.range_match",
    header("range_match: { start: 2, end: 5 }"),
    withHeader("x-user", "2", "4", "5", "1", "2.5", "x", "-3", undefined),
  ),
  matching("header-present", "headers.present_match", header("present_match: true"), withHeader("x-user", "a", undefined)),
  matching("header-absent", "headers.present_match", header("present_match: false"), withHeader("x-user", "a", undefined)),
  matching(
    "header-invert",
    "headers.invert_match",
    header("string_match: { exact: ann }, invert_match: true"),
    withHeader("x-user", "ann", "bob", undefined),
  ),
  matching(
    "header-range-invert",
    "headers.invert_match",
    header("range_match: { start: 2, end: 5 }, invert_match: true"),
    withHeader("x-user", "3", "9", undefined),
  ),
  matching(
    "header-present-invert",
    "headers.invert_match",
    header("present_match: true, invert_match: true"),
    withHeader("x-user", "a", undefined),
  ),
  matching(
    "header-two",
    "headers",
    '{ prefix: "/", headers: [{ name: x-user, string_match: { exact: ann } }, { name: x-team, present_match: true }] }',
    [
      { path: "/", headers: { "x-user": "ann", "x-team": "a" } },
      { path: "/", headers: { "x-user": "ann" } },
      { path: "/", headers: { "x-team": "a" } },
    ],
  ),
  matching("method", "headers :method", '{ prefix: "/", headers: [{ name: ":method", string_match: { exact: POST } }] }', [
    { path: "/", method: "POST" },
    { path: "/" },
    { path: "/", method: "PUT" },
  ]),
  matching(
    "methods",
    "headers :method",
    '{ prefix: "/", headers: [{ name: ":method", string_match: { safe_regex: { regex: "GET|HEAD" } } }] }',
    [{ path: "/", method: "POST" }, { path: "/" }, { path: "/", method: "HEAD" }],
  ),
  matching(
    "query-exact",
    "query_parameters.string_match",
    query("string_match: { exact: a }"),
    paths("/?q=a", "/?q=b", "/?x=a", "/", "/?q=a&q=b", "/?q=b&q=a", "/?q"),
  ),
  matching(
    "query-encoded",
    "query_parameters.string_match",
    query('string_match: { exact: "a b" }'),
    paths("/?q=a%20b", "/?q=a+b", "/?q=ab"),
    "parameters are decoded before they are compared",
  ),
  matching("query-present", "query_parameters.present_match", query("present_match: true"), paths("/?q=a", "/?q", "/?q=", "/?p=1")),
  matching("query-absent", "query_parameters.present_match", query("present_match: false"), paths("/?q=a", "/?p=1", "/")),
  matching(
    "query-regex",
    "query_parameters.string_match",
    query('string_match: { safe_regex: { regex: "[0-9]+" } }'),
    paths("/?q=12", "/?q=1a", "/"),
  ),
  matching(
    "grpc",
    "route.match.grpc",
    '{ prefix: "/", grpc: {} }',
    withHeader("content-type", "application/grpc", "application/grpc+proto", "application/json", undefined),
  ),
  {
    ...matching("fraction", "route.match.runtime_fraction", '{ prefix: "/", runtime_fraction: { default_value: { numerator: 25 } } }', [
      { path: "/", times: 300 },
    ]),
    compare: "shares",
  },
  {
    ...matching(
      "fraction-million",
      "route.match.runtime_fraction",
      '{ prefix: "/", runtime_fraction: { default_value: { numerator: 500000, denominator: MILLION } } }',
      [{ path: "/", times: 300 }],
    ),
    compare: "shares",
  },
  {
    ...matching("fraction-none", "route.match.runtime_fraction", '{ prefix: "/", runtime_fraction: { default_value: { numerator: 0 } } }', [
      { path: "/", times: 20 },
    ]),
    compare: "counts",
  },
  {
    name: "match/none",
    about: "virtual_hosts.routes",
    instances: ["ok"],
    compare: "each",
    probes: paths("/a", "/b"),
    file: { routes: '{ match: { prefix: "/a" }, route: { cluster: "@one" } }' },
  },
  {
    name: "match/no-host",
    about: "virtual_hosts.domains",
    instances: ["ok"],
    compare: "each",
    probes: [{ path: "/", host: "nobody.invalid" }],
    file: {},
  },
];

const domain = (name: string, domains: string, ...hosts: readonly string[]): ParityCase => ({
  name: `domain/${name}`,
  about: "virtual_hosts.domains",
  instances: ["ok"],
  compare: "each",
  probes: hosts.map((host) => ({ path: "/", host })),
  file: { virtualHost: `domains: [${domains}]` },
});

/** Which virtual host a request gets. */
export const domainCases: readonly ParityCase[] = [
  domain("suffix", '"*.suffix.test"', "a.suffix.test", "a.b.suffix.test", "suffix.test", "A.SUFFIX.TEST"),
  domain("prefix", '"prefix.*"', "prefix.one", "prefix.one.two", "prefix", "xprefix.one"),
  domain("case", '"Case.Test"', "case.test", "CASE.TEST", "case.test.x"),
  {
    ...domain("port", '"port.test"', "port.test", "port.test:8081"),
    difference: "ports of hosts are not compared: a call has the port of its service",
  },
];
