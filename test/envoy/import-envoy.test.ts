import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { importEnvoy, importEnvoyText, noticeText } from "../../src/envoy/envoy.ts";
import { clusterFile, routeFile, withSlips } from "./files.ts";

describe("importEnvoy of a file with slips", () => {
  it("reads what is meant, with one warning for each slip that says the form of v3", async () => {
    const { data, notices } = await importEnvoyText(withSlips, "envoy.yaml");
    expect(notices.filter(({ kind }) => kind === "slip" || kind === "v2").map(noticeText)).toEqual([
      'envoy.yaml:5:5: Cluster.load_assignment: the cluster has no endpoints; they come from the mesh\'s discovery, by the name "myservice"',
      'envoy.yaml:6:5: Cluster.dns_lookup_family: there is no "INTERNET"; it is read as AUTO, as v3 has it',
      expect.stringContaining(
        "envoy.yaml:7:5: Cluster.http2_protocol: there is no such field; it is read as http2_protocol_options, in v3 typed",
      ),
      expect.stringContaining(
        'envoy.yaml:16:9: Filter.name: "envoy.http_connection_manager" is of the second API; its name in v3 is envoy.filters',
      ),
      expect.stringContaining("envoy.yaml:17:9: Filter.ty: there is no such field; the type stands in typed_config"),
      expect.stringContaining('envoy.yaml:18:9: Filter.config: in v3 it is typed_config, which begins with "@type"'),
      "envoy.yaml:19:11: HttpConnectionManager.codec: there is no such field; it is read as codec_type: HTTP2",
    ]);
    expect(data).toMatchObject({
      discovery: "dns",
      services: { myservice: { protocol: "h2", connections: { connectTimeoutMs: 250 }, picker: "roundRobin", breaker: false } },
      routes: [{ name: "local_service/1", to: "myservice", options: { timeoutMs: 15_000 } }],
    });
  });

  it("takes the discovery that is given for clusters without endpoints", async () => {
    expect((await importEnvoyText(withSlips, "envoy.yaml", { discovery: "consul" })).data["discovery"]).toBe("consul");
  });
});

describe("importEnvoy of what cannot be used", () => {
  it.each<[name: string, text: string, problem: RegExp]>([
    [
      "an unknown field",
      clusterFile("conect_timeout: 1s"),
      /^f\.yaml:5:5: Cluster has no field "conect_timeout"; did you mean connect_timeout\?$/,
    ],
    [
      "a wrong duration",
      clusterFile("connect_timeout: 250ms"),
      /^f\.yaml:5:5: Cluster\.connect_timeout must be a duration in seconds, such as 0\.25s/,
    ],
    ["a wrong name", clusterFile("lb_policy: ROUND_ROBEN"), /Cluster\.lb_policy must be one of .*; did you mean ROUND_ROBIN\?$/],
    [
      "what is missing here",
      clusterFile("upstream_bind_config: { source_address: { address: 1.2.3.4, port_value: 0 } }"),
      /Cluster\.upstream_bind_config is not supported: the operating system/,
    ],
    ["a wrong kind", clusterFile("health_checks: {}"), /Cluster\.health_checks must be a list, not an object/],
    ["a type without endpoints", clusterFile("type: ORIGINAL_DST"), /Cluster\.type: ORIGINAL_DST is not supported/],
    [
      "a route to no cluster",
      routeFile('{ match: { prefix: "/" }, route: { cluster: onw } }'),
      /RouteAction\.cluster: there is no cluster "onw"; did you mean one\?$/,
    ],
    [
      "a pattern of two kinds",
      routeFile('{ match: { prefix: "/", path: "/a" }, route: { cluster: one } }'),
      /RouteMatch has prefix and path/,
    ],
    [
      "a filter that is code",
      routeFile(
        '{ match: { prefix: "/" }, route: { cluster: one } }',
        "  - { name: x, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua } }",
      ),
      /the filter envoy\.extensions\.filters\.http\.lua\.v3\.Lua is not supported; use an interceptor/,
    ],
    [
      "a control plane",
      "dynamic_resources: { ads_config: { api_type: GRPC } }",
      /DynamicResources\.ads_config is not supported: resources come from files/,
    ],
    ["nothing", "", /^f\.yaml:1:1: it is empty/],
    ["a list", "[]", /a file of Envoy is an object/],
    ["an empty object", "{}", /the file has no clusters and no listeners/],
  ])("says where it stands: %s", async (_name, text, problem) => {
    await expect(importEnvoyText(text, "f.yaml")).rejects.toThrow(problem);
    await expect(importEnvoyText(text, "f.yaml")).rejects.toMatchObject({ name: "EnvoyError" });
  });

  it("refuses a file of too many lines", async () => {
    await expect(importEnvoyText("a:\n".repeat(100_001), "f.yaml")).rejects.toThrow(/more than 100000 lines/);
  });
});

describe("a field without an effect", () => {
  it("is a notice by the reason of its table", async () => {
    const { notices } = await importEnvoyText(clusterFile("lb_policy: RANDOM\nring_hash_lb_config: { minimum_ring_size: 4 }"), "f.yaml");
    expect(notices.map(noticeText)).toContain(
      "f.yaml:6:5: Cluster.ring_hash_lb_config: it has settings of another policy than that of the cluster",
    );
  });

  it("is an error where its table has no reason", async () => {
    const twice = clusterFile("eds_cluster_config: { service_name: other }");
    await expect(importEnvoyText(twice, "f.yaml")).rejects.toThrow(/^f\.yaml:5:\d+: EdsClusterConfig\.service_name has no effect/);
  });
});

describe("importEnvoy of several files", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "inmesh-envoy-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("reads clusters, listeners, routes and endpoints from the files that it leads to", async () => {
    const files: Readonly<Record<string, string>> = {
      "envoy.yaml": "dynamic_resources: { cds_config: { path_config_source: { path: cds.yaml } }, lds_config: { path: lds.yaml } }",
      "cds.yaml":
        "resources: [{ '@type': type.googleapis.com/envoy.config.cluster.v3.Cluster, name: one, type: EDS, eds_cluster_config: { eds_config: { path_config_source: { path: eds.json } } } }]",
      "eds.json": JSON.stringify({
        resources: [
          {
            "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
            clusterName: "one",
            policy: { overprovisioningFactor: 200 },
            endpoints: [{ lbEndpoints: [{ endpoint: { address: { socketAddress: { address: "127.0.0.1", portValue: 9 } } } }] }],
          },
        ],
      }),
      "lds.yaml": `resources:
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: http
  filter_chains:
  - filters:
    - name: envoy.filters.network.http_connection_manager
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
        rds: { route_config_name: local, config_source: { path_config_source: { path: rds.yaml } } }`,
      "rds.yaml": `resources:
- "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: local
  virtual_hosts: [{ name: all, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: one } }] }]`,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    const { data } = await importEnvoy(join(directory, "envoy.yaml"));
    expect(data).toMatchObject({
      discovery: { static: { one: [{ host: "127.0.0.1", port: 9 }] } },
      routes: [{ name: "all/1", to: "one" }],
      services: { one: { balancing: { priorities: { overprovisioning: 2 } } } },
    });
    await writeFile(join(directory, "rds.yaml"), "resources: []");
    await expect(importEnvoy(join(directory, "envoy.yaml"))).rejects.toThrow(/"rds\.yaml" has no RouteConfiguration "local"/);
    await rm(join(directory, "eds.json"));
    await expect(importEnvoy(join(directory, "envoy.yaml"))).rejects.toThrow(/the file "eds\.json" cannot be read/);
  });
});
