import type { Probe } from "../../parity-case.ts";
import type { NginxCase } from "../case-file.ts";
import { all, nginxCase, paths } from "./parts.ts";

const servers = (...parameters: readonly string[]): string =>
  parameters.map((each, index) => `server 127.0.0.1:@${index} ${each};`).join(" ");
const turns = (count: number): readonly Probe[] => [{ path: "/", times: count }];
/** Requests with keys of their own. */
const keys = (count: number): readonly Probe[] =>
  paths(...Array.from({ length: count }, (_, index) => `/item/${index * 7919}?user=u${index}`));
const clients = (...addresses: readonly string[]): readonly Probe[] =>
  addresses.map((address) => ({ path: "/", headers: { "x-client": address } }));
const realIp = "set_real_ip_from 127.0.0.1; real_ip_header X-Client; location / { proxy_pass http://@one; }";
const addresses = Array.from({ length: 24 }, (_, index) => `10.${(index * 37) % 256}.${(index * 91) % 256}.${index}`);

/** Which instance gets a request. */
export const balancingCases: readonly NginxCase[] = [
  ...[
    ["1-1", ["", ""]],
    ["2-1", ["weight=2", ""]],
    ["5-1-1", ["weight=5", "", ""]],
    ["3-2-1", ["weight=3", "weight=2", "weight=1"]],
    ["5-5", ["weight=5", "weight=5"]],
    ["1-1-1-1", ["", "", "", ""]],
    ["10-3", ["weight=10", "weight=3"]],
    ["7-5-3-1", ["weight=7", "weight=5", "weight=3", "weight=1"]],
  ].map(([name, parameters]) =>
    nginxCase(
      `turns/${name as string}`,
      "server weight",
      { upstream: servers(...(parameters as string[])) },
      { instances: all(parameters?.length ?? 2), probes: turns(34) },
    ),
  ),
  nginxCase("turns/down", "server down", { upstream: servers("", "down", "weight=2") }, { instances: all(3), probes: turns(9) }),
  nginxCase("turns/backup", "server backup", { upstream: servers("", "backup") }, { probes: turns(4) }),
  nginxCase(
    "turns/backup-takes-over",
    "server backup",
    { upstream: servers("", "backup", "backup weight=2") },
    { instances: ["refuse", "ok", "ok"], probes: turns(9) },
  ),
  nginxCase("turns/all-down", "server down", { upstream: servers("down", "down") }, { probes: turns(2) }),
  nginxCase(
    "turns/duplicate",
    "server",
    { upstream: "server 127.0.0.1:@0; server 127.0.0.1:@0; server 127.0.0.1:@1;" },
    { probes: turns(9) },
  ),
  nginxCase("turns/one", "server", { upstream: servers("") }, { instances: all(1), probes: turns(3) }),
  nginxCase(
    "turns/at-once",
    "server",
    {},
    { instances: ["slow", "slow"], probes: [{ path: "/", times: 6, atOnce: true }], compare: "counts" },
  ),
  nginxCase(
    "turns/max-conns",
    "server max_conns",
    { upstream: servers("max_conns=1", "") },
    { instances: ["slow", "slow"], probes: [{ path: "/", times: 6, atOnce: true }], compare: "counts" },
  ),
  nginxCase(
    "turns/max-conns-full",
    "server max_conns",
    { upstream: servers("max_conns=1", "max_conns=1") },
    { instances: ["slow", "slow"], probes: [{ path: "/", times: 4, atOnce: true }], compare: "counts" },
  ),
  nginxCase(
    "turns/implied",
    "proxy_pass",
    { server: "location / { proxy_pass http://127.0.0.1:@1; }" },
    { probes: turns(2), requestHeaders: ["host"] },
  ),
  nginxCase("least-conn/idle", "least_conn", { upstream: `least_conn; ${servers("weight=3", "weight=1")}` }, { probes: turns(12) }),
  nginxCase("least-conn/equal", "least_conn", { upstream: `least_conn; ${servers("", "", "")}` }, { instances: all(3), probes: turns(9) }),
  nginxCase(
    "least-conn/busy",
    "least_conn",
    { upstream: `least_conn; ${servers("", "")}` },
    { instances: ["slow", "slow"], probes: [{ path: "/", times: 8, atOnce: true }], compare: "counts" },
  ),
  nginxCase(
    "least-conn/busy-weights",
    "least_conn",
    { upstream: `least_conn; ${servers("weight=3", "")}` },
    { instances: ["slow", "slow"], probes: [{ path: "/", times: 8, atOnce: true }], compare: "counts" },
  ),
  nginxCase(
    "least-conn/backup",
    "least_conn",
    { upstream: `least_conn; ${servers("", "backup")}` },
    { instances: ["refuse", "ok"], probes: turns(3) },
  ),
  nginxCase("random/equal", "random", { upstream: `random; ${servers("", "")}` }, { probes: turns(300), compare: "shares" }),
  nginxCase("random/weights", "random", { upstream: `random; ${servers("weight=3", "")}` }, { probes: turns(300), compare: "shares" }),
  nginxCase(
    "random/two",
    "random two",
    { upstream: `random two; ${servers("", "", "")}` },
    { instances: all(3), probes: turns(300), compare: "shares" },
  ),
  nginxCase(
    "random/two-least-conn",
    "random two least_conn",
    { upstream: `random two least_conn; ${servers("weight=2", "", "")}` },
    { instances: all(3), probes: turns(300), compare: "shares" },
  ),
  ...[
    ["uri", "$request_uri"],
    ["arg", "$arg_user"],
    ["text", "a$arg_user-$request_method"],
  ].flatMap(([name, key]) => [
    nginxCase(`hash/${name}`, "hash", { upstream: `hash ${key}; ${servers("", "weight=2", "")}` }, { instances: all(3), probes: keys(24) }),
    nginxCase(
      `hash-consistent/${name}`,
      "hash consistent",
      { upstream: `hash ${key} consistent; ${servers("", "weight=2", "")}` },
      { instances: all(3), probes: keys(24) },
    ),
  ]),
  nginxCase(
    "hash/header",
    "hash",
    { upstream: `hash $http_x_user; ${servers("", "")}` },
    { probes: ["a", "b", "c", "d", "e", "f"].map((user) => ({ path: "/", headers: { "x-user": user } })) },
  ),
  nginxCase("hash/no-key", "hash", { upstream: `hash $http_x_user; ${servers("", "")}` }, { probes: turns(6) }),
  nginxCase(
    "hash/down",
    "hash, server down",
    { upstream: `hash $request_uri; ${servers("", "down", "")}` },
    { instances: all(3), probes: keys(16) },
  ),
  nginxCase(
    "hash/refused",
    "hash, server max_fails",
    { upstream: `hash $request_uri; ${servers("", "", "")}` },
    { instances: ["ok", "refuse", "ok"], probes: keys(16) },
  ),
  nginxCase(
    "hash-consistent/down",
    "hash consistent, server down",
    { upstream: `hash $request_uri consistent; ${servers("", "down", "")}` },
    { instances: all(3), probes: keys(16) },
  ),
  nginxCase(
    "hash-consistent/refused",
    "hash consistent, server max_fails",
    { upstream: `hash $request_uri consistent; ${servers("", "", "")}` },
    { instances: ["ok", "refuse", "ok"], probes: keys(16) },
  ),
  nginxCase(
    "hash-consistent/duplicate",
    "hash consistent",
    { upstream: "hash $request_uri consistent; server 127.0.0.1:@0; server 127.0.0.1:@1; server 127.0.0.1:@0;" },
    { probes: keys(16) },
  ),
  nginxCase(
    "ip-hash/clients",
    "ip_hash",
    { upstream: `ip_hash; ${servers("", "", "")}`, server: realIp },
    { instances: all(3), probes: clients(...addresses) },
  ),
  nginxCase(
    "ip-hash/weights",
    "ip_hash",
    { upstream: `ip_hash; ${servers("weight=2", "", "weight=3")}`, server: realIp },
    { instances: all(3), probes: clients(...addresses) },
  ),
  nginxCase(
    "ip-hash/ipv6",
    "ip_hash",
    { upstream: `ip_hash; ${servers("", "", "")}`, server: realIp },
    { instances: all(3), probes: clients("2001:db8::1", "2001:db8::2", "fe80::1:2:3:4", "2001:db8:0:1::", "::1", "2001:db8:1:2:3:4:5:6") },
  ),
  nginxCase(
    "ip-hash/network",
    "ip_hash",
    { upstream: `ip_hash; ${servers("", "", "")}`, server: realIp },
    { instances: all(3), probes: clients("10.1.2.3", "10.1.2.200", "10.1.3.3") },
  ),
  nginxCase(
    "ip-hash/down",
    "ip_hash, server down",
    { upstream: `ip_hash; ${servers("", "down", "")}`, server: realIp },
    { instances: all(3), probes: clients(...addresses.slice(0, 12)) },
  ),
  nginxCase(
    "ip-hash/refused",
    "ip_hash, server max_fails",
    { upstream: `ip_hash; ${servers("", "", "")}`, server: realIp },
    { instances: ["refuse", "ok", "ok"], probes: clients(...addresses.slice(0, 12)) },
  ),
];
