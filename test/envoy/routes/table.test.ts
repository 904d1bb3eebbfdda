import { describe, expect, it } from "vitest";
import { importEnvoyText } from "../../../src/envoy/envoy.ts";
import { routeFile, tableFile } from "../files.ts";

async function rulesOf(text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { data } = await importEnvoyText(text, "f.yaml");
  return data["routes"] as readonly Readonly<Record<string, unknown>>[];
}

const host = (name: string, domains: string): string =>
  `{ name: ${name}, domains: [${domains}], routes: [{ match: { prefix: "/" }, route: { cluster: one } }] }`;
const all = (fields: string): string => routeFile(`{ match: { prefix: "/" }, ${fields} }`);
const header = (value: string): string =>
  all(`route: { cluster: one }, request_headers_to_add: [{ header: { key: x-a, value: "${value}" } }]`);

describe("virtual hosts as rules", () => {
  it("are looked for as Envoy does: names, the longest suffix, the longest prefix, all", async () => {
    const table = `virtual_hosts: [${host("any", '"*"')}, ${host("begins", '"shop.*"')}, ${host("below", '"*.example"')}, ${host("deeper", '"*.shop.example"')}, ${host("named", '"a.example", "b.example:80"')}]`;
    const rules = await rulesOf(tableFile(table));
    expect(rules.map(({ name, match }) => [name, (match as { host?: unknown } | undefined)?.host])).toEqual([
      ["named/1", ["a.example", "b.example"]],
      ["deeper/1", "*.shop.example"],
      ["below/1", "*.example"],
      ["begins/1", "shop.*"],
      ["any/1", undefined],
    ]);
  });

  it("answer 404 where none of their routes matches, and where there is no virtual host", async () => {
    const rules = await rulesOf(
      tableFile('virtual_hosts: [{ name: a, domains: [a.example], routes: [{ match: { prefix: "/x" }, route: { cluster: one } }] }]'),
    );
    expect(rules).toMatchObject([
      { match: { host: "a.example", path: { begins: "/x" } }, to: "one" },
      { match: { host: "a.example" }, respond: { status: 404 } },
      { name: "none", respond: { status: 404 } },
    ]);
  });

  it("have a name for each rule, once", async () => {
    const rules = await rulesOf(
      tableFile(
        'virtual_hosts: [{ name: a, domains: [a.example, "*.b.example"], routes: [{ name: r, match: { prefix: "/" }, route: { cluster: one } }] }]',
      ),
    );
    expect(rules.map(({ name }) => name)).toEqual(["a/r", "a/r (2)", "none"]);
  });
});

describe("a route that cannot be a rule", () => {
  it.each<[what: string, text: string, problem: RegExp]>([
    [
      "one domain twice",
      tableFile(`virtual_hosts: [${host("a", "a.example")}, ${host("b", '"A.example:80"')}]`),
      /the domain "a\.example" is that of two virtual hosts, "a" and "b"/,
    ],
    [
      "a star within a name",
      tableFile(`virtual_hosts: [${host("a", '"a.*.example"')}]`),
      /must have its \* at the beginning or at the end/,
    ],
    ["no domain", tableFile("virtual_hosts: [{ name: a, domains: [], routes: [] }]"), /VirtualHost\.domains must have a domain/],
    [
      "TLS that is required",
      tableFile("virtual_hosts: [{ name: a, domains: ['*'], require_tls: ALL, routes: [] }]"),
      /VirtualHost\.require_tls/,
    ],
    ["weights of 0", all("route: { weighted_clusters: { clusters: [{ name: one, weight: 0 }] } }"), /the sum of all weights is 0/],
    [
      "a weight beyond all bounds",
      all("route: { weighted_clusters: { clusters: [{ name: one, weight: 4294967295 }, { name: two, weight: 1 }] } }"),
      /must be at most 1000000/,
    ],
    [
      "a total that is another",
      all("route: { weighted_clusters: { total_weight: 100, clusters: [{ name: one, weight: 50 }, { name: two, weight: 51 }] } }"),
      /total_weight is 100, and the sum of all weights 101/,
    ],
    [
      "two actions",
      all("route: { cluster: one }, redirect: { host_redirect: a.example }"),
      /must have one of route, redirect and direct_response/,
    ],
    [
      "two rewrites",
      all('route: { cluster: one, prefix_rewrite: "/a", regex_rewrite: { pattern: { regex: a }, substitution: b } }'),
      /of which it can have one/,
    ],
    ["no target", all("route: { timeout: 1s }"), /must have one of cluster, weighted_clusters and cluster_header/],
    [
      "a word for retries that does not exist",
      all("route: { cluster: one, retry_policy: { retry_on: gateway-eror } }"),
      /retry_on has no "gateway-eror"; did you mean gateway-error\?/,
    ],
    [
      "headers that decide on retries",
      all("route: { cluster: one, retry_policy: { retry_on: 5xx, retriable_headers: [{ name: x-retry, present_match: true }] } }"),
      /retriable_headers is not supported/,
    ],
    [
      "a key of a filter",
      all("route: { cluster: one, hash_policy: [{ filter_state: { key: a } }] }"),
      /HashPolicy\.filter_state is not supported/,
    ],
    ["a high priority", all("route: { cluster: one, priority: HIGH }"), /RouteAction\.priority/],
    [
      "the host as a header",
      all("route: { cluster: one }, request_headers_to_add: [{ header: { key: host, value: a } }]"),
      /the header "host" cannot be changed as a header: use host_rewrite_literal/,
    ],
    [
      "a command that only a proxy knows",
      header("%DOWNSTREAM_TLS_SESSION_ID%"),
      /%DOWNSTREAM_TLS_SESSION_ID% is not supported; there are %%, %REQ\(NAME\)%/,
    ],
    ["a percent sign alone", header("100%"), /%% stands for a percent sign/],
    [
      "a mirror to no cluster",
      all("route: { cluster: one, request_mirror_policies: [{ cluster: tow }] }"),
      /RequestMirrorPolicy\.cluster: there is no cluster "tow"/,
    ],
    [
      "two conditions on a header",
      routeFile(
        '{ match: { prefix: "/", headers: [{ name: a, present_match: true }, { name: A, string_match: { exact: b } }] }, route: { cluster: one } }',
      ),
      /several conditions on the header "a"/,
    ],
    [
      "a pseudo header that is not known",
      routeFile('{ match: { prefix: "/", headers: [{ name: ":scheme", string_match: { exact: https } }] }, route: { cluster: one } }'),
      /:scheme cannot be matched/,
    ],
    [
      "a template of another kind",
      routeFile(
        '{ match: { path_match_policy: { name: t, typed_config: { "@type": type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig, path_template: "/a/*.html" } } }, route: { cluster: one } }',
      ),
      /a template has \* for a segment/,
    ],
  ])("is an error with its place: %s", async (_what, text, problem) => {
    await expect(rulesOf(text)).rejects.toThrow(problem);
    await expect(rulesOf(text)).rejects.toThrow(/^f\.yaml:\d+:\d+: /);
  });

  it("of several listeners one is chosen by its name", async () => {
    const text = routeFile('{ match: { prefix: "/" }, route: { cluster: one } }');
    const listener = text.slice(text.indexOf("  - name: http"));
    const two = `${text}${listener.replace("name: http", "name: other").replace("cluster: one", "cluster: two")}`;
    await expect(rulesOf(two)).rejects.toThrow(/several listeners serve HTTP: "http", "other"; choose one of them/);
    const { data } = await importEnvoyText(two, "f.yaml", { listener: "other" });
    expect(data["routes"]).toMatchObject([{ to: "two" }]);
    await expect(importEnvoyText(two, "f.yaml", { listener: "none" })).rejects.toThrow(/there is no listener "none" that serves HTTP/);
  });
});
