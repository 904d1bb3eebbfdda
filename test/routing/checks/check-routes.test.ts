import { describe, expect, it } from "vitest";
import { checkRoutes } from "../../../src/routing/checks/check-routes.ts";
import { meshOf } from "../../support/mesh.ts";

const fine = { match: { path: { prefix: "/" } } };

describe("checks of routes", () => {
  it.each<[string, unknown, string]>([
    ["no list", {}, "routes must be a list of routes"],
    ["no object", ["orders"], "routes[0] must be an object with options, not a string"],
    ["a misspelt part", [fine, { mach: {} }], 'routes[1] has no option "mach"'],
    ["a misspelt part of a part", [{ match: { pth: {} } }], 'routes[0].match has no option "pth"'],
    ["what was meant", [{ match: { heders: {} } }], 'did you mean "headers"?'],
    ["two names", [{ name: "a" }, { name: "a" }], 'routes[1].name "a" is the name of routes[0], too'],
    ["the name of another's place", [{}, { name: "routes[0]" }], "is the name of routes[0], too"],
    ["several actions", [{ to: "a", respond: { status: 200 } }], "routes[0] has to and respond, which exclude each other"],
    ["an answer and a rewrite", [{ rewrite: { path: "/" }, respond: { status: 200 } }], "routes[0] has rewrite and respond"],
    ["no path", [{ match: { path: {} } }], "routes[0].match.path needs one of exact, prefix, begins, template, pattern"],
    ["two paths", [{ match: { path: { exact: "/a", prefix: "/a" } } }], "routes[0].match.path has exact and prefix"],
    ["a path without slash", [{ match: { path: { exact: "a" } } }], 'routes[0].match.path.exact "a" does not begin with a slash'],
    ["a path with a query", [{ match: { path: { exact: "/a?b" } } }], "has a query"],
    ["a path that no call has", [{ match: { path: { prefix: "/../a" } } }], "is the path of no call"],
    ["a wrong template", [{ match: { path: { template: "/a{id}" } } }], "routes[0].match.path.template"],
    ["a template with a name twice", [{ match: { path: { template: "/{id}/{id}" } } }], "{id} stands in it twice"],
    ["a wrong pattern", [{ match: { path: { pattern: "(" } } }], "routes[0].match.path.pattern"],
    ["a pattern that looks around", [{ match: { path: { pattern: "/(?=a)" } } }], "the regular expression is wrong"],
    ["a pattern of another match", [{ match: [{}, { headers: { x: { pattern: "(" } } }] }], "routes[0].match[1].headers.x.pattern"],
    ["no text", [{ match: { headers: { x: {} } } }], "routes[0].match.headers.x needs one of exact"],
    ["two texts", [{ match: { headers: { x: { exact: "a", prefix: "b" } } } }], "exact and prefix, which exclude each other"],
    ["a text that is absent and so", [{ match: { headers: { x: { exact: "a", present: false } } } }], "present: false"],
    ["an empty range", [{ match: { headers: { x: { range: [5, 5] } } } }], "routes[0].match.headers.x.range is empty"],
    ["a header that is no name", [{ match: { headers: { "x y": "1" } } }], 'routes[0].match.headers: "x y" is not a valid header name'],
    ["a header of the mesh", [{ match: { headers: { "X-Mesh-Attempt": "2" } } }], "no call has it here"],
    ["a method in lower case", [{ match: { method: "get" } }], 'routes[0].match.method "get" is written GET'],
    ["no method", [{ match: { method: "GET /" } }], "is no method"],
    ["a host with a port", [{ match: { host: "a:80" } }], 'routes[0].match.host "a:80" is no host'],
    ["a host with two stars", [{ match: { host: "*.a.*" } }], "is no host"],
    ["no caller", [{ match: { caller: "orders" } }], "is no SPIFFE id"],
    ["no range", [{ match: { version: { from: { segment: 0 }, range: "two" } } }], "it is no range of semver"],
    [
      "a version from nowhere",
      [{ match: { version: { from: {}, range: "2" } } }],
      "routes[0].match.version.from needs one of segment, header",
    ],
    ["a percentage above all", [{ match: { percent: 101 } }], "routes[0].match.percent must be from 0 to 100, not 101"],
    ["a split of one", [{ split: { targets: [{ weight: 1 }] } }], "routes[0].split.targets has only 1: it needs 2 at least"],
    ["a split of none", [{ split: { targets: [] } }], "routes[0].split.targets is empty: it needs 2 at least"],
    ["a weight below 0", [{ split: { targets: [{ weight: -1 }, { weight: 1 }] } }], "routes[0].split.targets[0].weight must be"],
    ["half a weight", [{ split: { targets: [{ weight: 0.5 }, { weight: 1 }] } }], "must be a whole number, not 0.5"],
    ["no weight", [{ split: { targets: [{ service: "a" }, { weight: 1 }] } }], "routes[0].split.targets[0] needs a weight"],
    ["weights of 0", [{ split: { targets: [{ weight: 0 }, { weight: 0 }] } }], "routes[0].split.targets have no weight"],
    [
      "weights that are too much",
      [{ split: { targets: Array.from({ length: 5_000 }, () => ({ weight: 1_000_000 })) } }],
      "routes[0].split.targets have a weight of 5000000000 together",
    ],
    ["a canary among three", [{ split: { targets: [{}, {}, {}], canary: {} } }], "routes[0].split.canary needs two targets"],
    [
      "steps that go back",
      [{ split: { targets: [{}, {}], canary: { steps: [5, 5] } } }],
      "routes[0].split.canary.steps[1] must be above 5",
    ],
    [
      "a weight beside a canary",
      [{ split: { targets: [{}, { weight: 1 }], canary: {} } }],
      "routes[0].split.targets[1].weight has no effect beside a canary",
    ],
    ["a step over all", [{ split: { targets: [{}, {}], canary: { steps: [5, 101] } } }], "must be above 5 and at most 100, not 101"],
    ["an empty subset", [{ to: { subset: {} } }], "routes[0].to.subset needs metadata or version"],
    ["a prefix in place of none", [{ rewrite: { prefix: "/a" } }], "routes[0].rewrite.prefix takes the place of the prefix that matched"],
    [
      "a prefix for one match of two",
      [{ match: [{ path: { prefix: "/a" } }, { path: { exact: "/b" } }], rewrite: { prefix: "/c" } }],
      "(match[1])",
    ],
    ["a name of no template", [{ rewrite: { path: "/{id}" } }], "routes[0].rewrite.path has {id}, and the rule matches no template"],
    [
      "a name that the template has not",
      [{ match: { path: { template: "/{a}" } }, redirect: { path: "/{b}" } }],
      "routes[0].redirect.path has {b}, and the template has {a}",
    ],
    ["a path of another host", [{ rewrite: { path: "//evil" } }], "does not begin with one slash"],
    ["a path with a line break", [{ rewrite: { path: "/a\r\nx" } }], "is no path that is sent"],
    [
      "a group that the pattern has not",
      [{ rewrite: { pattern: { pattern: "/(a)", with: "/$2" } } }],
      "names the group $2; the pattern has 1",
    ],
    ["two rewrites", [{ rewrite: { path: "/", pattern: { pattern: "a", with: "b" } } }], "path and pattern, which exclude each other"],
    ["no rewrite", [{ rewrite: {} }], "routes[0].rewrite needs one of path, prefix, pattern"],
    ["a redirect to nowhere", [{ redirect: {} }], "routes[0].redirect leads to where the call is already"],
    ["no redirect", [{ redirect: { path: "/", status: 304 } }], "routes[0].redirect.status must be one of 301"],
    ["no status", [{ respond: {} }], "routes[0].respond needs a status"],
    ["a status that is none", [{ respond: { status: 99 } }], "routes[0].respond.status must be from 200 to 599"],
    ["a body that cannot be", [{ respond: { status: 204, body: "x" } }], "cannot have"],
    ["the host as a header", [{ requestHeaders: { set: { Host: "a" } } }], "it is rewrite.host"],
    ["a hop-by-hop header", [{ requestHeaders: { remove: ["Connection"] } }], '"Connection" is a header of the connection'],
    [
      "the length of the body",
      [{ responseHeaders: { set: { "content-length": "1" } } }],
      "is a header of the connection, of the body's framing",
    ],
    ["a value of two lines", [{ requestHeaders: { set: { x: "a\r\nb" } } }], "routes[0].requestHeaders.set.x has"],
    ["a text with an unknown part", [{ requestHeaders: { set: { x: { text: "{hots}" } } } }], 'there is no part "hots"'],
    ["a text in a response", [{ responseHeaders: { set: { x: { text: "{host}" } } } }], "a response has no parts of a request"],
    ["a fault of nothing", [{ fault: {} }], "routes[0].fault needs a delay or an abort"],
    ["two aborts", [{ fault: { abort: { status: 503, error: "reset" } } }], "routes[0].fault.abort needs either status or error"],
    ["a mirror to itself", [{ mirror: {} }], "routes[0].mirror needs a service or a subset"],
    ["an option that routes have not", [{ options: { picker: {} } }], 'routes[0].options has no option "picker"'],
    ["a timeout below 0", [{ options: { timeoutMs: -1 } }], "routes[0].options.timeoutMs must be"],
  ])("refuse %s", (_name, routes, message) => {
    expect(() => checkRoutes("routes", routes)).toThrow(message);
  });

  it("do not show the value of a header, which may be a credential", () => {
    const secret = "Bearer abc\r\ndef";
    let message = "";
    try {
      checkRoutes("routes", [{ requestHeaders: { set: { authorization: secret } } }]);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain("routes[0].requestHeaders.set.authorization has");
    expect(message).not.toContain("abc");
  });

  it("refuse a service that serviceNames does not have, and what is no name of a service", () => {
    const make = (to: string) => () => meshOf({}, { serviceNames: ["orders"], routes: [{ to: "orders" }, { to }] });
    expect(make("ordres")).toThrow('did you mean "orders"?');
    expect(make("orders/1")).toThrow("routes[1].to must be names of services");
  });

  it("let a whole table pass", () => {
    const routes = [
      {
        name: "canary",
        match: [{ service: ["shop"], path: { template: "/u/{id}" }, headers: { a: { not: true, contains: "b" } }, query: { q: "" } }],
        split: {
          targets: [
            { subset: { version: "^2" }, weight: 0 },
            { service: "orders", weight: 3 },
          ],
          sticky: { cookie: "s" },
        },
        rewrite: { path: "/v2/{id}", host: "orders.internal:8080" },
        requestHeaders: { set: { "x-real-ip": { text: "{client.address}" } }, setIfAbsent: { a: "b" } },
        hashKey: ["callerAddress", { header: "x-user" }],
        options: { timeoutMs: 100, retry: false },
        mirror: { service: "shadow", percent: 0.5 },
        fault: { delay: { ms: 5, percent: 1 } },
      },
      { respond: { status: 404, body: "no", headers: { "content-type": "text/plain" } } },
    ];
    expect(() => checkRoutes("routes", routes)).not.toThrow();
  });
});
