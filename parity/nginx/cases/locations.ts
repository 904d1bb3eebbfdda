import type { NginxCase } from "../case-file.ts";
import { nginxCase, paths } from "./parts.ts";

/** A location that goes to the second instance, beside `/`, which goes to the first. */
const two = "upstream @two { server 127.0.0.1:@1; }";
const one = { upstream: "server 127.0.0.1:@0;", http: two };
const beside = (locations: string): { readonly upstream: string; readonly http: string; readonly server: string } => ({
  ...one,
  server: `${locations} location / { proxy_pass http://@one; }`,
});
const location = (name: string, about: string, locations: string, ...asked: readonly string[]): NginxCase =>
  nginxCase(`location/${name}`, about, beside(locations), { probes: paths(...asked) });
const to = "{ proxy_pass http://@two; }";

const passed = (name: string, server: string, asked: readonly string[], options: object = {}): NginxCase =>
  nginxCase(`proxy-pass/${name}`, "proxy_pass", { server }, { instances: ["ok"], probes: paths(...asked), ...options });

/** Which location a request gets, and the path that the instance sees. */
export const locationCases: readonly NginxCase[] = [
  location("prefix", "location", `location /api ${to}`, "/api", "/api/", "/apis", "/ap", "/API", "/x/api", "/api?x=1"),
  location("prefix-slash", "location", `location /api/ ${to}`, "/api/", "/api/x", "/apis", "/api/?q"),
  location("exact", "location =", `location = /api ${to}`, "/api", "/api?x=1", "/api/", "/apix"),
  location("longest", "location", `location /a { proxy_pass http://@one; } location /a/b ${to}`, "/a/b/c", "/a/c", "/a/bc"),
  location("regex", "location ~", `location ~ \\.php$ ${to}`, "/x.php", "/x.PHP", "/x.php/y", "/x.php?a.html", "/.php"),
  location("regex-case", "location ~*", `location ~* \\.(jpg|png)$ ${to}`, "/a.jpg", "/a.JPG", "/a.png?x", "/a.jpge"),
  location("regex-anchored", "location ~", `location ~ ^/(a|b)/\\d+$ ${to}`, "/a/1", "/b/22", "/c/1", "/a/x", "/x/a/1"),
  location("regex-alternatives", "location ~", `location ~ ^/a|b$ ${to}`, "/a/x", "/x/b", "/x/bc", "/b/a"),
  location("regex-named-group", "location ~", `location ~ ^/(?<kind>\\w+)/list$ ${to}`, "/a/list", "/a-b/list", "/list"),
  location("regex-before-prefix", "location ~", `location /img { proxy_pass http://@one; } location ~ png$ ${to}`, "/img/x.png", "/img/x"),
  location("regex-order", "location ~", `location ~ ^/a { proxy_pass http://@one; } location ~ ^/ab ${to}`, "/ab", "/abc"),
  location("final", "location ^~", `location ^~ /img { proxy_pass http://@one; } location ~ png$ ${to}`, "/img/x.png", "/x.png"),
  location(
    "final-longer",
    "location ^~",
    `location ^~ /a ${to} location ^~ /a/b { proxy_pass http://@one; } location ~ c$ { proxy_pass http://@one; }`,
    "/a/c",
    "/a/b/c",
    "/c",
  ),
  location("exact-before-regex", "location =", `location = /a.png ${to} location ~ png$ { proxy_pass http://@one; }`, "/a.png", "/b.png"),
  location("nested", "location", `location /a { proxy_pass http://@one; location /a/b ${to} }`, "/a/b", "/a/b/c", "/a/c"),
  location("joined", "location", `location =/x ${to} location ~*^/y ${to}`, "/x", "/Y", "/z"),
  location("encoded", "location", `location "/a b" ${to}`, "/a%20b", "/a%20b/c", "/a+b"),
  nginxCase("location/slash-added", "location, proxy_pass", beside(`location /api/ ${to}`), {
    probes: paths("/api", "/api?x=1"),
    responseHeaders: ["location"],
    difference: "nginx makes the location absolute (`http://host/api/`), inmesh leaves out scheme and host, which is the same place",
  }),
  nginxCase("location/slash-added-status", "location, proxy_pass", beside(`location /api/ ${to}`), { probes: paths("/api", "/api?x=1") }),
  nginxCase("location/none", "location", { server: "location /a { proxy_pass http://@one; }" }, { probes: paths("/a", "/b", "/") }),
  nginxCase("location/normalised", "location", beside(`location /admin ${to}`), {
    probes: paths("/%61dmin"),
    difference:
      "nginx compares the decoded path and passes on the one that came; inmesh decodes nothing, as its instances would not all do it alike",
  }),
  nginxCase("location/merged-slashes", "location, merge_slashes", beside(`location /a/b ${to}`), {
    probes: paths("/a//b"),
    difference: "nginx compares the path with slashes merged and passes on the one that came; inmesh compares what it sends",
  }),
  passed("plain", "location /api { proxy_pass http://@one; }", ["/api", "/api/x?y=1", "/api//x", "/api/a%2Fb", "/api/%7Ex"]),
  passed("uri-slash", "location /api/ { proxy_pass http://@one/; }", ["/api/", "/api/x?y=1", "/api/x/"]),
  passed("uri", "location /api/ { proxy_pass http://@one/v2/; }", ["/api/", "/api/x?y=1", "/api/x/y"]),
  passed("uri-without-slash", "location /api { proxy_pass http://@one/v2; }", ["/api", "/api/x", "/apix"]),
  passed("uri-slashes-doubled", "location /api { proxy_pass http://@one/v2/; }", ["/api", "/api/x", "/apix"]),
  passed("uri-slashes-lost", "location /api/ { proxy_pass http://@one/v2; }", ["/api/x", "/api/"]),
  passed("uri-of-root", "location / { proxy_pass http://@one/base/; }", ["/", "/x", "/x/y?z=1"]),
  passed("uri-of-root-plain", "location / { proxy_pass http://@one/; }", ["/", "/x?z=1"]),
  passed("uri-exact", "location = /x { proxy_pass http://@one/y; }", ["/x", "/x?z=1"]),
  passed("request-uri", "location /a { proxy_pass http://@one$request_uri; }", ["/a/b?c=1", "/a"]),
  passed("uri-and-args", "location /a { proxy_pass http://@one$uri$is_args$args; }", ["/a/b?c=1", "/a"]),
  passed("groups", "location ~ ^/u/(\\d+)/(\\w+)$ { proxy_pass http://@one/$2/$1$is_args$args; }", ["/u/1/x", "/u/22/y?q=1"]),
  passed("groups-no-query", "location ~ ^/u/(\\d+)$ { proxy_pass http://@one/users/$1; }", ["/u/1", "/u/2"]),
  passed("groups-query-lost", "location ~ ^/u/(\\d+)$ { proxy_pass http://@one/users/$1; }", ["/u/1?x=1"]),
  passed("set", "location / { set $@up @one; proxy_pass http://$@up; }", ["/x?y=1"]),
  passed("rewrite-break", "location /a/ { rewrite ^/a/(.*)$ /b/$1 break; proxy_pass http://@one; }", ["/a/x", "/a/x?y=1", "/a/"]),
  passed("rewrite-none", "location /a/ { rewrite ^/c/(.*)$ /b/$1 break; proxy_pass http://@one; }", ["/a/x"]),
  passed("rewrite-part", "location / { rewrite a /b break; proxy_pass http://@one; }", ["/xay", "/y"]),
  passed("rewrite-no-query", "location / { rewrite ^/x$ /y? break; proxy_pass http://@one; }", ["/x"]),
];
