import type { NginxCase } from "../case-file.ts";
import { nginxCase } from "./parts.ts";

const sent = (name: string, lines: string, requestHeaders: readonly string[], options: object = {}): NginxCase =>
  nginxCase(
    `headers/${name}`,
    "proxy_set_header",
    { server: `location / { ${lines} proxy_pass http://@one; }` },
    { instances: ["ok"], requestHeaders, ...options },
  );
const answered = (name: string, about: string, lines: string, options: object = {}): NginxCase =>
  nginxCase(
    `headers/${name}`,
    about,
    { server: `location / { ${lines} proxy_pass http://@one; }` },
    { instances: ["ok"], responseHeaders: ["x-from", "x-instance", "x-a"], ...options },
  );

/** Headers as instances see them, and those of answers. */
export const headerCases: readonly NginxCase[] = [
  sent("host-default", "", ["host"]),
  nginxCase(
    "headers/host-address",
    "proxy_pass",
    { server: "location / { proxy_pass http://127.0.0.1:@0; }" },
    { instances: ["ok"], requestHeaders: ["host"] },
  ),
  sent("host-static", "proxy_set_header Host shop.example;", ["host"]),
  sent("host-proxy-host", "proxy_set_header Host $proxy_host;", ["host"]),
  sent("host-asked", "proxy_set_header Host $host;", ["host"], {
    difference:
      "a call of the mesh has no host header of its own, and the instance sees its address; behind the gateway it is the one that was asked for",
  }),
  sent("static", "proxy_set_header X-A b; proxy_set_header X-B 'c d';", ["x-a", "x-b"]),
  sent("replaced", "proxy_set_header X-A b;", ["x-a"], { probes: [{ path: "/", headers: { "x-a": "mine" } }] }),
  sent("removed", 'proxy_set_header X-A "";', ["x-a", "x-b"], { probes: [{ path: "/", headers: { "x-a": "mine", "x-b": "stays" } }] }),
  sent("real-ip", "proxy_set_header X-Real-IP $remote_addr;", ["x-real-ip"]),
  sent("method", "proxy_set_header X-Method $request_method;", ["x-method"], { probes: [{ path: "/", method: "PUT", body: "x" }] }),
  sent("uri", "proxy_set_header X-Original-URI $request_uri;", ["x-original-uri"], { probes: [{ path: "/a/b?c=d" }] }),
  sent("path-and-args", "proxy_set_header X-P $uri; proxy_set_header X-Q $args;", ["x-p", "x-q"], {
    probes: [{ path: "/a/b?c=d" }, { path: "/a" }],
  }),
  sent("parameter", "proxy_set_header X-User $arg_user;", ["x-user"], { probes: [{ path: "/?user=ann" }, { path: "/" }] }),
  sent("header", "proxy_set_header X-Copy $http_x_given;", ["x-copy"], {
    probes: [{ path: "/", headers: { "x-given": "v" } }, { path: "/" }],
  }),
  sent("cookie", "proxy_set_header X-Session $cookie_session;", ["x-session"], {
    probes: [{ path: "/", headers: { cookie: "a=b; session=s1" } }],
  }),
  sent("composed", "proxy_set_header X-A $request_method-$arg_q-z;", ["x-a"], { probes: [{ path: "/?q=1" }] }),
  nginxCase(
    "headers/inherited",
    "proxy_set_header",
    {
      server:
        "proxy_set_header X-A s; location /own { proxy_set_header X-B l; proxy_pass http://@one; } location / { proxy_pass http://@one; }",
    },
    { instances: ["ok"], requestHeaders: ["x-a", "x-b"], probes: [{ path: "/own" }, { path: "/" }] },
  ),
  answered("hidden", "proxy_hide_header", "proxy_hide_header X-From;"),
  answered("added", "add_header", "add_header X-A b;"),
  answered("added-always", "add_header", "add_header X-A b always;", { instances: [500] }),
  answered("added-to-failures", "add_header", "add_header X-A b;", {
    instances: [404],
    difference: "nginx adds headers without `always` to answers of some statuses only, inmesh to all",
  }),
  nginxCase(
    "headers/added-inherited",
    "add_header",
    { server: "add_header X-A s; location /own { add_header X-B l; proxy_pass http://@one; } location / { proxy_pass http://@one; }" },
    { instances: ["ok"], responseHeaders: ["x-a", "x-b"], probes: [{ path: "/own" }, { path: "/" }] },
  ),
];
