import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromText } from "../src/config/read-config.ts";
import { fromEnvoyText } from "../src/envoy/from-envoy.ts";
import { createMesh } from "../src/mesh/mesh.ts";
import { fromNginx } from "../src/nginx/from-nginx.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

const lines = 10_000;
const linesAbove = 4;
const linesOfRule = 8;

/** Measures what a long file of configuration costs: its reading, also of one of nginx or Envoy, and the step that puts it in force. */
export async function config(rounds = 9): Promise<BenchReport> {
  const text = textOf(lines);
  const envoy = envoyText(lines);
  const directory = await mkdtemp(join(tmpdir(), "inmesh-bench-"));
  const nginx = join(directory, "nginx.conf");
  await writeFile(nginx, nginxText(lines));
  const measured = await measureRounds("config", rounds, {
    read: () => cpuOf(() => fromText(text, "mesh.yaml")),
    "read of nginx": () => cpuOf(() => fromNginx(nginx, { names: "keep", onNotice() {} })),
    "read of Envoy": () => cpuOf(() => fromEnvoyText(envoy, "envoy.yaml")),
    "put in force": async () => {
      const mesh = createMesh({ ...(await fromText(text, "mesh.yaml")), observers: [] });
      const { routes, retry } = await fromText(text.replaceAll("maxAttempts: 2", "maxAttempts: 3"), "mesh.yaml");
      const startedAt = cpuMs();
      mesh.reconfigure({ routes, retry });
      const tookMs = cpuMs() - startedAt;
      await mesh.close();
      return tookMs;
    },
  });
  await rm(directory, { recursive: true });
  const rows = (["read", "read of nginx", "read of Envoy", "put in force"] as const).map(
    (name) => [name, measured.median(name), Math.min(...measured.values(name))] as const,
  );
  return {
    bench: "config",
    about: `CPU of the thread, in which nothing else runs, for a configuration of ${lines} lines in YAML with ${Math.floor((lines - linesAbove) / linesOfRule)} routes: it is read and checked, and put in force while the mesh runs; and for the reading of files of nginx and Envoy with as many lines`,
    node: measuredVersion(),
    rounds,
    columns: ["step", "ms, median of the rounds", "ms, fastest round"],
    rows,
    bounds: [
      atMost("ms of the reading", measured.median("read"), 200),
      atMost("ms of the reading of nginx", measured.median("read of nginx"), 200),
      atMost("ms of the reading of Envoy", measured.median("read of Envoy"), 200),
    ],
    ratios: { "put in force × read": measured.ratio("put in force", "read") },
  };
}

/** A configuration with as many lines, of one part each. */
function textOf(count: number): string {
  const rules = Array.from({ length: (count - linesAbove) / linesOfRule }, (_, index) =>
    [
      `  - name: rule-${index}`,
      "    match:",
      "      path:",
      `        prefix: /api/v1/part-${index}`,
      "      method: GET",
      `    to: service-${index % 50}`,
      "    options:",
      `      timeoutMs: ${1_000 + index}`,
    ].join("\n"),
  );
  return ["discovery: { static: {} }", "timeoutMs: 3000", "retry: { maxAttempts: 2 }", "routes:", ...rules, ""].join("\n");
}

/** A file of nginx: of 19 lines, each an upstream and a server with three locations. */
function nginxText(count: number): string {
  const parts = Array.from({ length: Math.floor((count - 3) / 19) }, (_, index) =>
    [
      `upstream u${index} {`,
      `  server 10.0.${index >> 8}.${index & 255}:8080 weight=5;`,
      `  server 10.1.${index >> 8}.${index & 255}:8080;`,
      "}",
      "server {",
      "  listen 80;",
      `  server_name host${index}.example.com;`,
      "  location / {",
      `    proxy_pass http://u${index};`,
      "    proxy_set_header Host $host;",
      "    proxy_read_timeout 30s;",
      "  }",
      "  location /api/ {",
      `    proxy_pass http://u${index}/;`,
      "  }",
      "  location = /x {",
      "    return 404;",
      "  }",
      "}",
    ].join("\n"),
  );
  return ["events {}", "http {", ...parts, "}", ""].join("\n");
}

/** A file of Envoy: of 27 lines, each a virtual host with two routes and a cluster with two endpoints. */
function envoyText(count: number): string {
  const indexes = Array.from({ length: Math.floor((count - 18) / 27) }, (_, index) => index);
  const hosts = indexes.map((index) =>
    [
      `            - name: host${index}`,
      `              domains: [ "host${index}.example.com" ]`,
      "              routes:",
      "              - match:",
      "                  prefix: /api/",
      "                route:",
      `                  cluster: c${index}`,
      "                  timeout: 3s",
      "                  retry_policy:",
      "                    retry_on: 5xx",
      "                    num_retries: 2",
      `              - { match: { prefix: / }, route: { cluster: c${index} } }`,
    ].join("\n"),
  );
  const clusters = indexes.map((index) =>
    [
      `  - name: c${index}`,
      "    type: STATIC",
      "    connect_timeout: 1s",
      "    lb_policy: ROUND_ROBIN",
      "    load_assignment:",
      `      cluster_name: c${index}`,
      "      endpoints:",
      "      - lb_endpoints:",
      "        - endpoint:",
      "            address:",
      "              socket_address:",
      `                address: 10.0.${index >> 8}.${index & 255}`,
      "                port_value: 8080",
      "        - endpoint:",
      `            address: { socket_address: { address: 10.1.${index >> 8}.${index & 255}, port_value: 8080 } }`,
    ].join("\n"),
  );
  return [envoyHead, ...hosts, "  clusters:", ...clusters, ""].join("\n");
}

const envoyHead = `static_resources:
  listeners:
  - name: main
    address: { socket_address: { address: 127.0.0.1, port_value: 8080 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: main
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
          route_config:
            virtual_hosts:`;

async function cpuOf(run: () => Promise<unknown>): Promise<number> {
  const startedAt = cpuMs();
  await run();
  return cpuMs() - startedAt;
}

/** Of this thread: others of the machine do not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
