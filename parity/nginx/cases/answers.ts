import type { Probe } from "../../parity-case.ts";
import type { NginxCase } from "../case-file.ts";
import { nginxCase, paths } from "./parts.ts";

const answer = (name: string, server: string, options: object = {}): NginxCase =>
  nginxCase(
    `answers/${name}`,
    "return",
    { server: `${server} location /rest { proxy_pass http://@one; }` },
    { instances: ["ok"], responseHeaders: ["location", "content-type"], ...options },
  );
const redirected = (name: string, server: string, asked: readonly string[], options: object = {}): NginxCase => {
  const { responseHeaders = ["location"], ...more } = options as { responseHeaders?: readonly string[] };
  return nginxCase(
    `answers/${name}`,
    "return, rewrite",
    { server: `${server} location /rest { proxy_pass http://@one; }` },
    { instances: ["ok"], probes: paths(...asked), responseHeaders, ...more },
  );
};
const relative = { difference: "nginx makes the location absolute, inmesh leaves out scheme and host, which is the same place" };
const host = (name: string): Probe => ({ path: "/", host: name });

/** Answers that no instance makes, conditions, and servers by their names. */
export const answerCases: readonly NginxCase[] = [
  answer("text", "location / { return 200 'ok'; }"),
  answer("text-type", "location / { default_type application/json; return 200 '{}'; }"),
  answer("status", "location / { return 204; }"),
  answer("status-400", "location / { return 400; }", { responseHeaders: [] }),
  answer("status-503", "return 503;", { responseHeaders: [], probes: paths("/", "/rest") }),
  redirected("to-https", "location / { return 301 https://$host$request_uri; }", ["/", "/a?b=c"]),
  redirected("to-host", "location / { return 301 https://www.shop.example$request_uri; }", ["/a?b=c"]),
  redirected("to-place", "location / { return 302 https://shop.example/new; }", ["/a?b=c"]),
  redirected("to-port", "location / { return 307 https://shop.example:8443$request_uri; }", ["/a?b=c"]),
  redirected("to-prefix", "location /old { return 301 https://shop.example/new$request_uri; }", ["/old/x?b=c"]),
  redirected("to-path", "location / { return 308 /new; }", ["/a"], relative),
  redirected("to-url", "location / { return https://shop.example/; }", ["/a"]),
  redirected("rewrite-permanent", "rewrite ^(.*)$ https://shop.example$1 permanent;", ["/a", "/a/b?c=d"]),
  redirected("rewrite-path", "rewrite ^/old/(.*)$ /new/$1 redirect;", ["/old/x", "/rest"], relative),
  answer("deny", "location ~ /\\.ht { deny all; }", { probes: paths("/.htaccess", "/rest/x"), responseHeaders: [] }),
  answer("internal", "location = /in { internal; proxy_pass http://@one; }", { probes: paths("/in"), responseHeaders: [] }),
  nginxCase(
    "if/header",
    "if",
    { server: "if ($http_x_bad) { return 403; } location / { proxy_pass http://@one; }" },
    { probes: [{ path: "/" }, { path: "/", headers: { "x-bad": "1" } }, { path: "/", headers: { "x-bad": "0" } }] },
  ),
  nginxCase(
    "if/header-regex",
    "if",
    { server: 'if ($http_user_agent ~* "curl|wget") { return 403; } location / { proxy_pass http://@one; }' },
    {
      probes: [
        { path: "/", headers: { "user-agent": "Wget/1" } },
        { path: "/", headers: { "user-agent": "Mozilla" } },
      ],
    },
  ),
  nginxCase(
    "if/parameter",
    "if",
    { server: "location / { if ($arg_debug = 1) { return 404; } proxy_pass http://@one; }" },
    { probes: paths("/?debug=1", "/?debug=2", "/") },
  ),
  nginxCase(
    "if/method",
    "if",
    { server: "if ($request_method !~ ^(GET|HEAD)$) { return 405; } location / { proxy_pass http://@one; }" },
    { probes: [{ path: "/" }, { path: "/", method: "POST", body: "x" }, { path: "/", method: "DELETE" }] },
  ),
  nginxCase(
    "if/method-is",
    "if",
    { server: "location / { if ($request_method = POST) { return 403; } proxy_pass http://@one; }" },
    { probes: [{ path: "/" }, { path: "/", method: "POST", body: "x" }] },
  ),
  nginxCase("if/scheme", "if", { server: "if ($scheme = https) { return 403; } location / { proxy_pass http://@one; }" }),
  nginxCase(
    "if/uri",
    "if",
    { server: "if ($uri ~ ^/private) { return 403; } location / { proxy_pass http://@one; }" },
    { probes: paths("/private/x", "/public", "/x/private") },
  ),
  nginxCase(
    "limit-except",
    "limit_except",
    { server: "location / { limit_except GET { deny all; } proxy_pass http://@one; }" },
    { probes: [{ path: "/" }, { path: "/", method: "HEAD" }, { path: "/", method: "POST", body: "x" }, { path: "/", method: "DELETE" }] },
  ),
  nginxCase(
    "map/header",
    "map",
    {
      upstream: "server 127.0.0.1:@0;",
      http: "upstream @two { server 127.0.0.1:@1; } map $http_x_version $@to { default @one; v2 @two; ~^beta @two; }",
      server: "location / { proxy_pass http://$@to; }",
    },
    {
      probes: [undefined, "v2", "V2", "beta-3", "x"].map(
        (version): Probe => ({ path: "/", headers: version === undefined ? {} : { "x-version": version } }),
      ),
    },
  ),
  nginxCase(
    "map/parameter",
    "map",
    {
      upstream: "server 127.0.0.1:@0;",
      http: "upstream @two { server 127.0.0.1:@1; } map $arg_v $@to { default @one; 2 @two; }",
      server: "location / { proxy_pass http://$@to; }",
    },
    { probes: paths("/?v=2", "/?v=1", "/") },
  ),
  nginxCase(
    "split/shares",
    "split_clients",
    {
      upstream: "server 127.0.0.1:@0;",
      http: "upstream @two { server 127.0.0.1:@1; } split_clients $request_id $@to { 20% @two; * @one; }",
      server: "location / { proxy_pass http://$@to; }",
    },
    { probes: [{ path: "/", times: 300 }], compare: "shares" },
  ),
  nginxCase(
    "server-name/exact",
    "server_name",
    {
      servers:
        "server { listen 127.0.0.1:@listen; server_name a.@host; return 401; } server { listen 127.0.0.1:@listen; server_name *.@host; return 402; } server { listen 127.0.0.1:@listen; server_name @host; return 403; }",
    },
    { probes: ["a.", "b.", "c.d.", ""].map((prefix) => host(`${prefix}server-name-exact.test`)) },
  ),
  nginxCase(
    "server-name/dot",
    "server_name",
    { servers: "server { listen 127.0.0.1:@listen; server_name .@host; return 401; }" },
    { probes: ["a.", ""].map((prefix) => host(`${prefix}server-name-dot.test`)) },
  ),
  nginxCase(
    "server-name/longest-star",
    "server_name",
    {
      servers:
        "server { listen 127.0.0.1:@listen; server_name *.@host; return 401; } server { listen 127.0.0.1:@listen; server_name *.b.@host; return 402; }",
    },
    { probes: ["a.", "a.b."].map((prefix) => host(`${prefix}server-name-longest-star.test`)) },
  ),
  nginxCase(
    "server-name/case",
    "server_name",
    { servers: "server { listen 127.0.0.1:@listen; server_name @host; return 401; }" },
    { probes: [host("Server-Name-CASE.test")] },
  ),
];
