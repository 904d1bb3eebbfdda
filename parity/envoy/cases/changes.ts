import type { ParityCase, Probe } from "../../parity-case.ts";

const api = (rest: string): string => `{ match: { prefix: "/api" }, ${rest} }`;
const all = (rest: string): string => `{ match: { prefix: "/" }, ${rest} }`;
const toOne = (more = ""): string => `route: { cluster: "@one"${more === "" ? "" : `, ${more}`} }`;
const paths = (...given: readonly string[]): readonly Probe[] => given.map((path) => ({ path }));

function changing(name: string, about: string, routes: string, probes: readonly Probe[], more: Partial<ParityCase> = {}): ParityCase {
  return { name: `change/${name}`, about, instances: ["ok"], compare: "each", probes, file: { routes }, ...more };
}

function headers(
  name: string,
  about: string,
  fields: string,
  given: Readonly<Record<string, string>>,
  more: Partial<ParityCase> = {},
): ParityCase {
  return changing(`header-${name}`, about, all(`${toOne()}, ${fields}`), [{ path: "/" }, { path: "/", headers: given }], {
    requestHeaders: ["x-a", "x-b"],
    responseHeaders: ["x-a", "x-from"],
    ...more,
  });
}

const add = (kind: string, name: string, value: string, action?: string): string =>
  `${kind}_headers_to_add: [{ header: { key: ${name}, value: ${JSON.stringify(value)} }${action === undefined ? "" : `, append_action: ${action}`} }]`;

/** What is changed of requests and answers. */
export const changeCases: readonly ParityCase[] = [
  changing(
    "prefix",
    "route.prefix_rewrite",
    api(toOne('prefix_rewrite: "/v1"')),
    paths("/api", "/api/x", "/apis", "/api?x=1", "/api/x?x=1"),
  ),
  changing("prefix-root", "route.prefix_rewrite", api(toOne('prefix_rewrite: "/"')), paths("/api", "/apix"), {}),
  changing("prefix-root-double", "route.prefix_rewrite", api(toOne('prefix_rewrite: "/"')), paths("/api/x"), {
    difference: "the path would begin with //, which readers take for a host: the call fails (ERR_MESH_ROUTE)",
  }),
  changing(
    "prefix-slash",
    "route.prefix_rewrite",
    `{ match: { prefix: "/api/" }, ${toOne('prefix_rewrite: "/"')} }`,
    paths("/api/x", "/api/"),
  ),
  changing("prefix-all", "route.prefix_rewrite", all(toOne('prefix_rewrite: "/v1/"')), paths("/", "/x", "/?q=1")),
  changing(
    "prefix-of-path",
    "route.prefix_rewrite",
    `{ match: { path: "/old" }, ${toOne('prefix_rewrite: "/new"')} }`,
    paths("/old", "/old?x=1"),
  ),
  changing(
    "prefix-of-regex",
    "route.prefix_rewrite",
    `{ match: { safe_regex: { regex: "/o.*" } }, ${toOne('prefix_rewrite: "/new"')} }`,
    paths("/old/x", "/old?x=1"),
  ),
  changing(
    "prefix-separated",
    "route.prefix_rewrite",
    `{ match: { path_separated_prefix: "/api" }, ${toOne('prefix_rewrite: "/v1"')} }`,
    paths("/api", "/api/x", "/api?x=1"),
  ),
  changing(
    "regex",
    "route.regex_rewrite",
    all(toOne('regex_rewrite: { pattern: { regex: "^/service/([^/]+)(/.*)$" }, substitution: "\\\\2/instance/\\\\1" }')),
    paths("/service/foo/v1/api", "/other"),
  ),
  changing(
    "regex-all",
    "route.regex_rewrite",
    all(toOne('regex_rewrite: { pattern: { regex: "one" }, substitution: "two" }')),
    paths("/xxx/one/yyy/one/zzz", "/one?x=one"),
  ),
  changing(
    "regex-dollar",
    "route.regex_rewrite",
    all(toOne('regex_rewrite: { pattern: { regex: "a" }, substitution: "$1" }')),
    paths("/a"),
  ),
  changing(
    "template",
    "route.path_rewrite_policy",
    `{ match: { path_match_policy: { name: t, typed_config: { "@type": type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig, path_template: "/users/{id}/orders/{order}" } } }, ${toOne('path_rewrite_policy: { name: r, typed_config: { "@type": type.googleapis.com/envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig, path_template_rewrite: "/orders/{order}/of/{id}" } }')} }`,
    paths("/users/1/orders/2"),
  ),
  changing("host", "route.host_rewrite_literal", all(toOne("host_rewrite_literal: inner.test")), paths("/"), { requestHeaders: ["host"] }),
  changing("host-kept", "route (host)", all(toOne()), paths("/"), {
    requestHeaders: ["host"],
    difference:
      "a call of this process has no host of its own: instances see their address, or `peer.name`; by the gateway the host is kept",
  }),
  changing("redirect-path", "redirect.path_redirect", api('redirect: { path_redirect: "/new" }'), paths("/api", "/api/x?q=1"), {
    responseHeaders: ["location"],
    difference: "the location has no origin where the rule changes nothing of it",
  }),
  changing("redirect-prefix", "redirect.prefix_rewrite", api('redirect: { prefix_rewrite: "/new" }'), paths("/api", "/api/x?q=1"), {
    responseHeaders: ["location"],
    difference: "the location has no origin where the rule changes nothing of it",
  }),
  changing("redirect-host", "redirect.host_redirect", all("redirect: { host_redirect: other.test }"), paths("/", "/x?q=1"), {
    responseHeaders: ["location"],
  }),
  changing("redirect-https", "redirect.https_redirect", all("redirect: { https_redirect: true }"), paths("/x"), {
    responseHeaders: ["location"],
  }),
  changing("redirect-port", "redirect.port_redirect", all("redirect: { host_redirect: other.test, port_redirect: 8443 }"), paths("/x"), {
    responseHeaders: ["location"],
  }),
  changing("redirect-strip", "redirect.strip_query", all('redirect: { path_redirect: "/n", strip_query: true }'), paths("/x?q=1"), {
    responseHeaders: ["location"],
    difference: "the location has no origin where the rule changes nothing of it",
  }),
  ...["FOUND", "SEE_OTHER", "TEMPORARY_REDIRECT", "PERMANENT_REDIRECT"].map((code) =>
    changing(
      `redirect-${code.toLowerCase()}`,
      "redirect.response_code",
      all(`redirect: { path_redirect: "/n", response_code: ${code} }`),
      paths("/x"),
    ),
  ),
  changing(
    "direct",
    "direct_response",
    all('direct_response: { status: 418, body: { inline_string: "no" } }'),
    [{ path: "/" }, { path: "/", method: "HEAD" }, { path: "/", method: "POST", body: "x" }],
    { responseHeaders: ["content-type"] },
  ),
  changing("direct-empty", "direct_response", all("direct_response: { status: 204 }"), paths("/"), { responseHeaders: ["content-type"] }),
  changing(
    "direct-header",
    "direct_response, response_headers_to_add",
    all(`direct_response: { status: 200 }, ${add("response", "x-a", "1")}`),
    paths("/"),
    { responseHeaders: ["x-a"] },
  ),
  headers("add", "request_headers_to_add", add("request", "x-a", "1"), { "x-a": "0" }),
  headers("overwrite", "append_action", add("request", "x-a", "1", "OVERWRITE_IF_EXISTS_OR_ADD"), { "x-a": "0" }),
  headers("if-absent", "append_action", add("request", "x-a", "1", "ADD_IF_ABSENT"), { "x-a": "0" }),
  headers("remove", "request_headers_to_remove", "request_headers_to_remove: [x-a]", { "x-a": "0", "x-b": "0" }),
  headers("remove-and-add", "request_headers_to_remove", `request_headers_to_remove: [x-a], ${add("request", "x-a", "1")}`, { "x-a": "0" }),
  headers("of-request", "%REQ()%", add("request", "x-a", "of %REQ(x-b)% at %REQ(:PATH)%"), { "x-b": "bob" }),
  headers("percent", "%%", add("request", "x-a", "100%%"), {}),
  headers("response-add", "response_headers_to_add", add("response", "x-a", "1"), {}),
  headers("response-overwrite", "response_headers_to_add", add("response", "x-from", "mesh", "OVERWRITE_IF_EXISTS_OR_ADD"), {}),
  headers("response-remove", "response_headers_to_remove", "response_headers_to_remove: [x-from]", {}),
  headers(
    "levels",
    "headers of two levels",
    add("request", "x-a", "route"),
    { "x-a": "0" },
    { file: { routes: all(`${toOne()}, ${add("request", "x-a", "route")}`), virtualHost: add("request", "x-a", "host") } },
  ),
  headers(
    "levels-overwrite",
    "headers of two levels",
    "",
    { "x-a": "0" },
    {
      file: {
        routes: all(`${toOne()}, ${add("request", "x-a", "route", "OVERWRITE_IF_EXISTS_OR_ADD")}`),
        virtualHost: add("request", "x-a", "host", "OVERWRITE_IF_EXISTS_OR_ADD"),
      },
    },
  ),
  headers(
    "levels-remove",
    "headers of two levels",
    "",
    { "x-a": "0" },
    { file: { routes: all(`${toOne()}, ${add("request", "x-a", "route")}`), virtualHost: "request_headers_to_remove: [x-a]" } },
  ),
  {
    name: "change/header-weighted",
    about: "weighted_clusters.request_headers_to_add",
    instances: ["ok"],
    compare: "each",
    probes: paths("/"),
    requestHeaders: ["x-a"],
    responseHeaders: ["x-a"],
    file: {
      routes: all(
        `route: { weighted_clusters: { clusters: [{ name: "@one", weight: 1, ${add("request", "x-a", "target")}, ${add("response", "x-a", "target")} }] } }, ${add("request", "x-a", "route")}, ${add("response", "x-a", "route")}`,
      ),
    },
  },
];
