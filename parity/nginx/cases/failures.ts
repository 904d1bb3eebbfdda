import type { Behaviour } from "../../instances.ts";
import type { Probe } from "../../parity-case.ts";
import type { NginxCase } from "../case-file.ts";
import { all, nginxCase } from "./parts.ts";

const next = (
  name: string,
  lines: string,
  instances: readonly Behaviour[],
  probes: readonly Probe[] = [{ path: "/" }],
  options: object = {},
): NginxCase =>
  nginxCase(
    `next/${name}`,
    "proxy_next_upstream",
    { server: `location / { proxy_read_timeout 1s; proxy_connect_timeout 1s; ${lines} proxy_pass http://@one; }` },
    { instances, probes, ...options },
  );
const get: readonly Probe[] = [{ path: "/" }];
const post: readonly Probe[] = [{ path: "/", method: "POST", body: "x" }];
const times = (count: number): readonly Probe[] => [{ path: "/", times: count }];
const servers = (count: number, parameters: string): string =>
  Array.from({ length: count }, (_, index) => `server 127.0.0.1:@${index} ${parameters};`).join(" ");

/** When the next server is asked, which server is left out and for how long, and time limits. */
export const failureCases: readonly NginxCase[] = [
  next("refused", "", ["refuse", "ok"], times(3)),
  next("reset", "", ["reset", "ok"], get),
  next("timeout", "", ["hang", "ok"], get),
  next("status-500", "", [500, "ok"], get),
  next("status-502", "", [502, "ok"], get),
  next("status-503", "", [503, "ok"], get),
  ...[500, 502, 503, 504, 403, 404, 429].map((status) =>
    next(`listed-${status}`, `proxy_next_upstream http_${status};`, [status, "ok", "ok"], times(4)),
  ),
  next("listed-other", "proxy_next_upstream error http_503;", [502, "ok"], get),
  next("error-not-listed", "proxy_next_upstream timeout;", ["reset", "ok"], get),
  next("timeout-not-listed", "proxy_next_upstream error;", ["hang", "ok"], get),
  next("off", "proxy_next_upstream off;", ["reset", "ok"], get),
  next("all-fail", "proxy_next_upstream http_503;", [503, 503, 503], get),
  next("all-reset", "", ["reset", "reset"], get),
  next("all-refuse", "", ["refuse", "refuse"], times(2)),
  next("all-hang", "", ["hang", "hang"], get),
  next("tries-1", "proxy_next_upstream_tries 1;", ["reset", "ok"], get),
  next("tries-2", "proxy_next_upstream_tries 2;", ["reset", "reset", "ok"], get),
  next("tries-all", "", ["reset", "reset", "ok"], get),
  next("tries-status", "proxy_next_upstream http_503; proxy_next_upstream_tries 2;", [503, 503, "ok"], get),
  next("time-over", "proxy_next_upstream_timeout 500ms;", ["hang", "ok"], get),
  next("time-left", "proxy_next_upstream_timeout 5s;", ["hang", "ok"], get),
  next("post-reset", "", ["reset", "ok"], post),
  next("post-timeout", "", ["hang", "ok"], post),
  next("post-refused", "", ["refuse", "ok"], post),
  next("post-status", "proxy_next_upstream http_503;", [503, "ok"], post),
  next("post-non-idempotent", "proxy_next_upstream error timeout non_idempotent;", ["reset", "ok"], post),
  next("patch-reset", "", ["reset", "ok"], [{ path: "/", method: "PATCH", body: "x" }]),
  next("put-reset", "", ["reset", "ok"], [{ path: "/", method: "PUT", body: "x" }]),
  next("put-status", "proxy_next_upstream http_503;", [503, "ok"], [{ path: "/", method: "PUT", body: "x" }]),
  next("delete-reset", "", ["reset", "ok"], [{ path: "/", method: "DELETE" }]),
  next("head-reset", "", ["reset", "ok"], [{ path: "/", method: "HEAD" }]),
  next("options-reset", "", ["reset", "ok"], [{ path: "/", method: "OPTIONS" }]),
  next("slow", "", ["slow"], get),
  next("one-server", "", ["reset"], times(3)),
  next("one-server-status", "proxy_next_upstream http_503;", [503], times(3)),
  nginxCase(
    "next/by-location",
    "proxy_next_upstream",
    { server: "location /a { proxy_next_upstream http_503; proxy_pass http://@one; } location / { proxy_pass http://@one; }" },
    { instances: [503, "ok"], probes: [{ path: "/a" }, { path: "/" }, { path: "/" }, { path: "/a" }] },
  ),
  nginxCase("out/one-failure", "max_fails, fail_timeout", { upstream: servers(2, "") }, { instances: ["reset", "ok"], probes: times(5) }),
  nginxCase("out/three-failures", "max_fails", { upstream: servers(2, "max_fails=3") }, { instances: ["reset", "ok"], probes: times(9) }),
  nginxCase(
    "out/three-failures-weights",
    "max_fails",
    { upstream: "server 127.0.0.1:@0 weight=6 max_fails=3; server 127.0.0.1:@1 weight=2;" },
    { instances: ["reset", "ok"], probes: times(9) },
  ),
  nginxCase("out/never", "max_fails=0", { upstream: servers(2, "max_fails=0") }, { instances: ["reset", "ok"], probes: times(6) }),
  nginxCase(
    "out/weights-lowered",
    "max_fails, weight",
    { upstream: "server 127.0.0.1:@0 weight=10 max_fails=10; server 127.0.0.1:@1 weight=5;" },
    {
      instances: ["reset", "ok"],
      probes: [
        { path: "/", times: 3 },
        { path: "/", times: 24, become: { 0: "ok" } },
      ],
    },
  ),
  nginxCase(
    "out/all",
    "max_fails",
    { upstream: servers(2, "") },
    { instances: ["reset", "reset"], probes: [{ path: "/" }, { path: "/", times: 2, become: { 0: "ok", 1: "ok" } }] },
  ),
  nginxCase(
    "out/back",
    "fail_timeout",
    { upstream: servers(2, "fail_timeout=1s") },
    {
      instances: ["reset", "ok"],
      probes: [
        { path: "/", times: 3 },
        { path: "/", times: 4, become: { 0: "ok" }, afterMs: 3_000 },
      ],
    },
  ),
  nginxCase(
    "out/back-and-out-again",
    "fail_timeout",
    { upstream: servers(2, "fail_timeout=1s") },
    {
      instances: ["reset", "ok"],
      probes: [
        { path: "/", times: 3 },
        { path: "/", times: 4, afterMs: 3_000 },
      ],
    },
  ),
  nginxCase(
    "out/listed-status",
    "max_fails, proxy_next_upstream",
    { upstream: servers(2, ""), server: "location / { proxy_next_upstream http_500; proxy_pass http://@one; }" },
    { instances: [500, "ok"], probes: times(5) },
  ),
  nginxCase("out/status-not-listed", "max_fails", { upstream: servers(2, "") }, { instances: [500, "ok"], probes: times(4) }),
  nginxCase(
    "out/listed-404",
    "max_fails, proxy_next_upstream",
    { upstream: servers(2, ""), server: "location / { proxy_next_upstream http_404; proxy_pass http://@one; }" },
    { instances: [404, "ok"], probes: times(5) },
  ),
  nginxCase(
    "out/post",
    "max_fails",
    { upstream: servers(2, "") },
    { instances: ["reset", "ok"], probes: [{ path: "/", method: "POST", body: "x", times: 4 }] },
  ),
  nginxCase(
    "out/backup",
    "max_fails, backup",
    { upstream: "server 127.0.0.1:@0; server 127.0.0.1:@1 backup;" },
    { instances: ["reset", "ok"], probes: times(4) },
  ),
  nginxCase(
    "out/least-conn",
    "max_fails, least_conn",
    { upstream: `least_conn; ${servers(3, "")}` },
    { instances: ["reset", "ok", "ok"], probes: times(7) },
  ),
  nginxCase(
    "out/hash",
    "max_fails, hash",
    { upstream: `hash $arg_k; ${servers(3, "")}` },
    { instances: ["ok", "reset", "reset"], probes: ["a", "b", "c", "d", "e", "f"].map((k) => ({ path: `/?k=${k}` })) },
  ),
  nginxCase(
    "out/hash-consistent",
    "max_fails, hash consistent",
    { upstream: `hash $arg_k consistent; ${servers(3, "")}` },
    { instances: ["ok", "reset", "reset"], probes: ["a", "b", "c", "d", "e", "f"].map((k) => ({ path: `/?k=${k}` })) },
  ),
  nginxCase(
    "timeouts/read",
    "proxy_read_timeout",
    { server: "location / { proxy_read_timeout 1s; proxy_pass http://@one; }" },
    { instances: all(1, "hang") },
  ),
  nginxCase(
    "timeouts/read-in-time",
    "proxy_read_timeout",
    { server: "location / { proxy_read_timeout 1s; proxy_pass http://@one; }" },
    { instances: all(1, "slow") },
  ),
];
