import { describe, expect, it } from "vitest";
import { fromData } from "../../src/config/read-config.ts";
import type { Route } from "../../src/routing/route.ts";
import { importedFrom, refusalOf } from "../support/nginx-file.ts";

const app = "upstream app { server 127.0.0.1:8080; }";
const routesOf = async (inner: string, before = app): Promise<readonly Route[]> =>
  (await importedFrom(`${before} server { listen 80; ${inner} }`)).data["routes"] as readonly Route[];
/** The rules of a server with these locations, without what every one has. */
const ruleOf = async (inner: string, before = app): Promise<object> => {
  const [first] = await routesOf(inner, before);
  const { name: _, ...rule } = first as Route;
  return rule;
};

describe("an upstream", () => {
  it("is a service with its servers, and with nginx's own choice among them", async () => {
    const { data, notices } = await importedFrom(`
      upstream app {
        least_conn;
        server 127.0.0.1:8080 weight=5 max_fails=3 fail_timeout=30s;
        server app.internal max_conns=10;
        server unix:/run/app.sock down;
        server [::1]:81 backup;
        keepalive 16;
      }
      server { location / { proxy_pass http://app; proxy_connect_timeout 2; proxy_read_timeout 1m30s; } }`);
    expect(data).toMatchObject({
      timeoutMs: false,
      discovery: {
        static: {
          app: [
            {
              id: "127.0.0.1:8080",
              host: "127.0.0.1",
              port: 8080,
              weight: 5,
              metadata: { "nginx.maxFails": "3", "nginx.failTimeoutMs": "30000" },
            },
            {
              id: "app.internal:80",
              host: "app.internal",
              port: 80,
              metadata: { "nginx.maxConnections": "10", "nginx.server": "app.internal" },
            },
            { id: "unix:/run/app.sock", socketPath: "/run/app.sock", metadata: { "nginx.down": "true" } },
            { id: "[::1]:81", host: "::1", port: 81, metadata: { "nginx.backup": "true" } },
          ],
        },
      },
      services: {
        app: {
          picker: { nginx: { method: "leastConnections" } },
          breaker: false,
          connections: { connectTimeoutMs: 2_000 },
          timeoutMs: false,
          attemptTimeoutMs: 90_000,
          bodyIdleTimeoutMs: 90_000,
          retry: { maxAttempts: 3, on: ["connect", "refused", "reset", "timeout"] },
        },
      },
    });
    expect(notices.map(({ directive, text }) => `${directive}: ${text}`)).toEqual([
      "keepalive: the mesh keeps idle connections by its own rules",
      'upstream: calls with PUT and DELETE are sent again to another server, although they may have been executed; retries: "inmesh" does not',
    ]);
  });

  it("has an instance for each address of a name, and one for each time that an address is there", async () => {
    const resolve = async (name: string) => (name === "two" ? ["10.0.0.1", "10.0.0.2"] : []);
    const text = "upstream a { server two:80; server 10.0.0.9; server 10.0.0.9; } server { location / { proxy_pass http://a; } }";
    const { data, notices } = await importedFrom(text, { names: "resolve", resolve });
    expect((data["discovery"] as { static: { a: { id: string }[] } }).static.a.map(({ id }) => id)).toEqual([
      "10.0.0.1:80",
      "10.0.0.2:80",
      "10.0.0.9:80",
      "10.0.0.9:80#2",
    ]);
    expect(notices.map(({ text }) => text)).toContain('"10.0.0.9" is there twice, first at line 1: it gets both shares');
    expect(await refusalOf("upstream a { server none:80; }", { names: "resolve", resolve })).toBe(
      'nginx.conf:1:14: server: "none" has no address',
    );
  });

  it.each([
    ["upstream a { server b weight=0; }", "nginx.conf:1:23: server: weight must be a whole number from 1 to 65535"],
    ["upstream a { server b weight=99999999999; }", "nginx.conf:1:23: server: weight must be a whole number from 1 to 65535"],
    [
      "upstream a { server b wieght=1; }",
      'nginx.conf:1:23: server: it has no parameter "wieght=1"; there are weight, max_conns, max_fails, fail_timeout, backup and down',
    ],
    ["upstream a { server b resolve; }", "nginx.conf:1:23: server: resolve is of a newer or commercial nginx, and not supported"],
    ["upstream a { server b backup; }", 'nginx.conf:1:1: upstream: "a" has no servers that are no backup'],
    ["upstream a { hash $x; server b; }", /^nginx\.conf:1:19: hash: key has the variable \$x; there are \$request_uri/],
    ["upstream a { hash $uri; server b; server c backup; }", "nginx.conf:1:35: server: backup does not go with hash"],
    ["upstream a { least_conn; ip_hash; server b; }", "nginx.conf:1:26: ip_hash: least_conn says already how servers are chosen"],
    ["upstream a { server b; } upstream a { server c; }", 'nginx.conf:1:26: upstream: "a" is there twice, first at line 1'],
    ["upstream a { server b fail_timeout=5x; }", 'nginx.conf:1:23: server: "5x" is no time such as 60s, 500ms or 1m30s'],
    ["upstream a { server b:99999; }", 'nginx.conf:1:21: server: "b:99999": the port must be from 1 to 65535'],
    ["upstream a { sticky cookie srv; server b; }", "nginx.conf:1:14: sticky: it is of a newer or commercial nginx, and not supported"],
    [
      "upstream a { ip_hash; server b; }",
      /^nginx\.conf:1:1: upstream: ip_hash of "a" goes by the client of the request that is being answered/,
    ],
    ["upstream a { sevrer b; }", 'nginx.conf:1:14: sevrer: "sevrer" is no directive that is known; did you mean server?'],
  ])("refuses %j", async (text, message) => expect(await refusalOf(text)).toMatch(message));

  it("refuses weights that are too much together", async () => {
    const servers = Array.from({ length: 17 }, (_, index) => `server 10.0.0.${index} weight=60000;`).join("");
    expect(await refusalOf(`upstream a { ${servers} }`)).toBe(
      'nginx.conf:1:1: upstream: the weights of "a" are 1020000 together; 1000000 are allowed',
    );
  });
});

describe("locations", () => {
  it("are in the order in which nginx would choose", async () => {
    const routes = await routesOf(`
      location / { proxy_pass http://app; }
      location ~ \\.php$ { return 403; }
      location /a/b { return 201; }
      location ^~ /static/ { return 202; }
      location = /exact { return 203; }
      location ~* \\.(GIF|jpg)$ { return 204; }
      location /a { return 205; }`);
    expect(routes.map(({ match, respond }) => [(match as { path?: object } | undefined)?.path, respond?.status])).toEqual([
      [{ exact: "/exact" }, 203],
      [{ begins: "/static/" }, 202],
      [{ pattern: "(?s:.*?)(?:\\.php)" }, 403],
      [{ pattern: "(?s:.*?)(?:\\.(GIF|jpg))", ignoreCase: true }, 204],
      [{ begins: "/a/b" }, 201],
      [{ begins: "/a" }, 205],
      [undefined, undefined],
    ]);
  });

  it.each([
    ["location /api { proxy_pass http://app; }", { match: { path: { begins: "/api" } }, rewrite: { host: "app" } }],
    ["location /api/ { proxy_pass http://app/v2/; }", { match: { path: { exact: "/api" } }, redirect: { status: 301, path: "/api/" } }],
    ["location /api { proxy_pass http://app/; }", { rewrite: { prefix: "/", host: "app" } }],
    ["location / { proxy_pass http://app/v2/; }", { match: { path: { begins: "/" } }, rewrite: { prefix: "/v2/", host: "app" } }],
    ["location = /x { proxy_pass http://app/y; }", { rewrite: { path: "/y", host: "app" } }],
    ["location / { proxy_pass http://app$request_uri; }", { rewrite: { host: "app" } }],
    [
      "location ~ ^/u/(\\d+)$ { proxy_pass http://app/users/$1$is_args$args; }",
      { rewrite: { pattern: { pattern: "^/u/(\\d+)$", with: "/users/$1" } } },
    ],
    ["location ~ ^/u/(\\d+)$ { proxy_pass http://app/users/$1; }", { rewrite: { pattern: { with: "/users/$1?" } } }],
    ["location /a/ { rewrite ^/a/(.*)$ /$1 break; proxy_pass http://app; }", { match: { path: { exact: "/a" } } }],
    [
      "location /a { rewrite ^/a/(.*)$ /$1 break; proxy_pass http://app; }",
      { rewrite: { pattern: { pattern: "^/a/(.*)$", with: "/$1" } } },
    ],
    ["location / { set $up app; proxy_pass http://$up; }", { to: { service: "app" } }],
    ["location / { proxy_pass http://app; proxy_set_header Host $host; }", { to: { service: "app" } }],
    ["location / { proxy_pass http://app; proxy_set_header Host shop.example; }", { rewrite: { host: "shop.example" } }],
    [
      'location / { proxy_pass http://app; proxy_set_header X-A b; proxy_set_header X-Gone ""; proxy_set_header X-Real-IP $remote_addr; }',
      { requestHeaders: { set: { "x-a": "b", "x-real-ip": { text: "{client.address}" } }, remove: ["x-gone"] } },
    ],
    [
      "location / { proxy_pass http://app; proxy_hide_header X-Powered-By; add_header X-Frame-Options DENY always; }",
      { responseHeaders: { remove: ["x-powered-by"], add: { "x-frame-options": "DENY" } } },
    ],
    ["return 301 https://$host$request_uri;", { redirect: { status: 301, scheme: "https" } }],
    ["return 301 https://www.shop.example$request_uri;", { redirect: { status: 301, scheme: "https", host: "www.shop.example" } }],
    [
      "return 302 https://shop.example/new;",
      { redirect: { status: 302, scheme: "https", host: "shop.example", path: "/new", stripQuery: true } },
    ],
    [
      "location / { return 200 'ok\\n'; default_type text/html; }",
      { respond: { status: 200, headers: { "content-type": "text/html" }, body: "ok\n" } },
    ],
    ["rewrite ^(.*)$ https://shop.example$1 permanent;", { redirect: { status: 301, scheme: "https", host: "shop.example" } }],
    ["location ~ /\\.ht { deny all; }", { respond: { status: 403 } }],
    [
      "if ($host = www.shop.example) { return 301 https://shop.example$request_uri; }",
      { match: { host: "www.shop.example" }, redirect: { host: "shop.example" } },
    ],
    ["if ($request_method !~ ^(GET|HEAD)$) { return 405; }", { respond: { status: 405 } }],
    [
      "if ($http_user_agent ~* (curl|wget)) { return 403; }",
      { match: { headers: { "user-agent": { ignoreCase: true } } }, respond: { status: 403 } },
    ],
    [
      "location / { limit_except GET POST { deny all; } proxy_pass http://app; }",
      { match: { method: ["GET", "POST", "HEAD"] }, to: { service: "app" } },
    ],
    [
      "location / { mirror /copy; proxy_pass http://app; } location = /copy { internal; proxy_pass http://127.0.0.1:9$request_uri; }",
      { respond: { status: 404 } },
    ],
  ])("%s", async (text, rule) => expect(await ruleOf(text)).toMatchObject(rule));

  it("take over headers from the blocks around them, unless they have any of their own", async () => {
    const routes = await routesOf(`
      proxy_set_header X-Server s;
      location /own { proxy_set_header X-Own o; proxy_pass http://app; }
      location / { proxy_pass http://app; }`);
    expect(routes.map(({ requestHeaders }) => requestHeaders?.set)).toEqual([{ "x-own": "o" }, { "x-server": "s" }]);
  });

  it("have texts that are no references to variables and files of this process", async () => {
    const { data } = await importedFrom(`${app} server { location / { proxy_pass http://app; proxy_set_header X-A "\${env:HOME}"; } }`);
    const options = await fromData(data, "nginx.conf");
    expect(options.routes).toMatchObject([{ requestHeaders: { set: { "x-a": `\${env:HOME}` } } }]);
  });

  it("may have limits and retries of their own", async () => {
    const two = "upstream app { server 127.0.0.1:1; server 127.0.0.1:2; server 127.0.0.1:3; }";
    const routes = await routesOf(
      `location / { proxy_pass http://app; } location /slow { proxy_pass http://app; proxy_read_timeout 300; proxy_next_upstream error http_503 non_idempotent;
       proxy_next_upstream_tries 2; proxy_next_upstream_timeout 3s; }`,
      two,
    );
    expect(routes[0]?.options).toEqual(undefined);
    expect(routes[1]?.options).toMatchObject({
      timeoutMs: false,
      attemptTimeoutMs: 60_000,
    });
  });

  it.each([
    [
      "location / { proxy_pas http://app; }",
      'nginx.conf:1:77: proxy_pas: "proxy_pas" is no directive that is known; did you mean proxy_pass?',
    ],
    ["location / { root /var/www; }", "nginx.conf:1:77: root: no files are served: the location has no proxy_pass and no return"],
    ["location / { fastcgi_pass 127.0.0.1:9000; }", "nginx.conf:1:77: fastcgi_pass: it speaks another protocol than HTTP to instances"],
    ["location / { proxy_pass http://$http_x; }", 'nginx.conf:1:77: proxy_pass: where it goes is only known by a request: "$http_x"'],
    ["location ~ ^/(?!x) { return 200; }", 'nginx.conf:1:75: location: "^/(?!x)" has a lookahead, which linear patterns (RE2) have not'],
    [
      "location ~ (a)\\1 { return 200; }",
      'nginx.conf:1:75: location: "(a)\\\\1" has a reference to a group, which linear patterns (RE2) have not',
    ],
    ["location ~ x { proxy_pass http://app/y; }", "nginx.conf:1:90: proxy_pass: a path does not go with a location that is a pattern"],
    ["location /a { return 200; } location /a { return 201; }", 'nginx.conf:1:92: location: "/a" is there twice, first at line 1'],
    ["location / { auth_basic x; proxy_pass http://app; }", /^nginx\.conf:1:77: auth_basic: it decides which callers are let in/],
    [
      "allow 10.0.0.0/8; deny all; location / { proxy_pass http://app; }",
      /^nginx\.conf:1:64: allow: which callers are let in is decided by the authorization/,
    ],
    ["limit_req zone=a; location / { proxy_pass http://app; }", /^nginx\.conf:1:64: limit_req: it limits requests/],
    ["location / { proxy_pass ftp://app; }", 'nginx.conf:1:88: proxy_pass: "ftp://app" does not begin with http:// or https://'],
    ["location / { proxy_cache zone; proxy_pass http://app; }", "nginx.conf:1:77: proxy_cache: nothing is cached"],
    ["location / { proxy_next_upstream http_418; proxy_pass http://app; }", /there is no "http_418"; there are error, timeout/],
    [
      "location / { proxy_set_header X $ssl_client_verify; proxy_pass http://app; }",
      "nginx.conf:1:77: proxy_set_header: the variable $ssl_client_verify is not known here",
    ],
    ["location / { if ($host = a) { proxy_pass http://app; } }", /in an if there is only a return/],
  ])("refuses %s", async (text, message) =>
    expect(await refusalOf(`upstream app { server 127.0.0.1:8080; } server { listen 80;    ${text} }`)).toMatch(message),
  );

  it("answer 501 where they have what is not supported, if that is asked for", async () => {
    const text = `${app} server { location / { proxy_pass http://app; } location /files { root /var/www; } location /who { auth_basic x; proxy_pass http://app; } }`;
    const { data, notices } = await importedFrom(text, { unsupported: "answer-501" });
    expect((data["routes"] as readonly Route[]).map(({ respond }) => respond?.status)).toEqual([501, 501, undefined]);
    expect(notices.filter(({ text }) => text.includes("501"))).toHaveLength(2);
    const limited = await importedFrom(`${app} limit_req zone=a; server { location / { proxy_pass http://app; } }`, {
      unsupported: "answer-501",
    });
    expect(limited.data["routes"]).toMatchObject([{ respond: { status: 501 } }]);
  });
});

describe("servers", () => {
  it("are found by their names as nginx does, the default one last", async () => {
    const { data } = await importedFrom(`
      server { listen 80; server_name *.shop.example; return 201; }
      server { listen 80; server_name shop.example www.shop.example .more.example; return 202; }
      server { listen 80; server_name ~^api\\d+\\.example$; return 203; }
      server { listen 80 default_server; server_name _; return 204; }
      server { listen 80; server_name shop.*; return 205; }`);
    const routes = data["routes"] as readonly Route[];
    expect(routes.map(({ match, respond }) => [match, respond?.status])).toEqual([
      [{ host: ["www.shop.example", "shop.example", "more.example"] }, 202],
      [{ host: "*.shop.example" }, 201],
      [{ host: "*.more.example" }, 202],
      [{ host: "shop.*" }, 205],
      [{ headers: { host: { pattern: "api\\d+\\.example(?::\\d+)?", ignoreCase: true } } }, 203],
      [undefined, 204],
    ]);
  });

  it("at several addresses are several listeners, and calls are those at the one that passes requests on", async () => {
    const text = `${app}
      server { listen 80; return 301 https://$host$request_uri; }
      server { listen 443 ssl; ssl_certificate c.pem; ssl_certificate_key k.pem; server_name shop.example; client_max_body_size 20m;
        location / { proxy_pass http://app; } }`;
    const { data, listeners } = await importedFrom(text);
    expect(listeners).toMatchObject([
      { address: "*:80", port: 80, isSecure: false, certificates: [], maxBodyBytes: 1_048_576, routes: [{ redirect: { status: 301 } }] },
      {
        address: "*:443",
        port: 443,
        isSecure: true,
        certificates: [{ names: ["shop.example"], cert: "c.pem", key: "k.pem" }],
        maxBodyBytes: 20_971_520,
      },
    ]);
    expect(data["routes"]).toMatchObject([{ to: { service: "app" } }]);
    expect((await importedFrom(text, { listen: "80" })).data["routes"]).toMatchObject([{ redirect: { status: 301 } }]);
    expect(await refusalOf(text, { listen: "81" })).toBe('nginx.conf: listen: the file does not listen on "81"; it does on *:80, *:443');
  });

  it("pass on by a map and by shares", async () => {
    const two = "upstream a { server 127.0.0.1:1; } upstream b { server 127.0.0.1:2; }";
    expect(
      await routesOf("location / { proxy_pass http://$to; }", `${two} map $http_x_version $to { default a; v2 b; ~^beta b; }`),
    ).toMatchObject([
      { match: { headers: { "x-version": { exact: "v2" } } }, to: { service: "b" } },
      { match: { headers: { "x-version": { pattern: "(?:beta)(?s:.*)" } } }, to: { service: "b" } },
      { to: { service: "a" } },
    ]);
    expect(await routesOf("location / { proxy_pass http://$to; }", `${two} split_clients $cookie_id $to { 12.5% b; * a; }`)).toMatchObject([
      {
        split: {
          targets: [
            { service: "b", weight: 1_250 },
            { service: "a", weight: 8_750 },
          ],
          sticky: { cookie: "id" },
        },
      },
    ]);
  });

  it.each([
    [
      "server { server_name a; } server { server_name a; }",
      'nginx.conf:1:27: server: the name "a" is that of another server at the same address, at line 1',
    ],
    ["server { server_name a*b; }", 'nginx.conf:1:22: server_name: "a*b" is no name, with one star in front or at the end at most'],
    ["server { listen 80 proxy_protocol; }", "nginx.conf:1:20: listen: proxy_protocol is not supported"],
    ["server { listen 80 defualt_server; }", 'nginx.conf:1:20: listen: it has no parameter "defualt_server"'],
    ["http { } http { }", "nginx.conf:1:10: http: it is there twice"],
    ["http { server { server { } } }", "nginx.conf:1:17: server: it does not stand in server"],
    ["stream { server { listen 1; } }", "nginx.conf: it has neither a server nor an upstream"],
    ["", "nginx.conf: it has neither a server nor an upstream"],
  ])("refuse %j", async (text, message) => expect(await refusalOf(text)).toMatch(message));
});
