import { connect, createServer as createHttp2Server, type OutgoingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { PolicyRule } from "../../src/authorization/policy.ts";
import { PolicyError } from "../../src/authorization/text/policy-error.ts";
import { parsePolicy } from "../../src/authorization/text/read-policy.ts";
import { serve } from "../../src/server/server.ts";
import { ask, askRaw, guarded, served } from "../server/inbound/served.ts";
import { meshOf } from "../support/mesh.ts";

/** The status of each request line, sent as it is written, to a server with these rules. */
async function statuses(rules: readonly PolicyRule[], lines: readonly string[]): Promise<readonly string[]> {
  const { port } = await guarded({ authorization: { policy: { rules } } });
  const answers = await Promise.all(lines.map((line) => askRaw(port, `${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)));
  return answers.map((answer) => answer.slice(9, 12));
}

/** The status of requests by HTTP/1.1 and by HTTP/2 to servers with these rules. */
async function both(rules: readonly PolicyRule[]) {
  const authorization = { policy: { rules } };
  const { port } = await guarded({ authorization });
  const server = createHttp2Server((_request, response) => void response.end("ok"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const serving = serve(server, { signals: [], lameDuckMs: 0, log: false, inbound: { authorization } });
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(async () => {
    session.destroy();
    await serving.stop();
  });
  return {
    http1: async (head: string) => Number((await askRaw(port, `${head}\r\nConnection: close\r\n\r\n`)).slice(9, 12)),
    http2: (headers: OutgoingHttpHeaders) =>
      new Promise<number>((resolve, reject) => {
        session
          .request(headers, { endStream: true })
          .once("response", (answered) => resolve(Number(answered[":status"])))
          .once("error", reject)
          .resume();
      }),
  };
}

describe("T02: a path that two readers read differently", () => {
  test("is answered with 400 before any rule, so that no spelling passes a rule by", async () => {
    const rules: PolicyRule[] = [
      { id: "no-admin", action: "deny", to: { paths: ["/admin/**"] } },
      { id: "rest", action: "allow" },
    ];
    const spellings = [
      "/x/../admin",
      "/x/%2e%2e/admin",
      "/x%2f..%2fadmin",
      "/x%5c..%5cadmin",
      "//admin",
      "/./admin",
      "/x/..;/admin",
      "/%61dmin",
      "/admin%00",
    ];
    expect(
      await statuses(
        rules,
        spellings.map((path) => `GET ${path}`),
      ),
    ).toEqual(spellings.map(() => "400"));
    expect(await statuses(rules, ["GET /admin", "GET /admin/users", "GET http://a/admin", "GET HTTP://A:80/admin", "GET /public"])).toEqual(
      ["403", "403", "403", "403", "200"],
    );
  });

  test("and one that is no path, of another scheme, or not ASCII, is answered with 400 over HTTP/2 as over HTTP/1.1", async () => {
    const { http2 } = await both([{ id: "all", action: "allow" }]);
    expect(await http2({ ":path": "/adm\u00efn" })).toBe(400);
    expect(await http2({ ":path": "*", ":method": "OPTIONS" })).toBe(400);
    expect(await http2({ ":path": "/x/../admin" })).toBe(400);
    expect(await http2({ ":path": "/admin", ":method": "get" })).toBe(400);
    expect(await http2({ ":path": "/admin" })).toBe(200);
    const lines = ["OPTIONS *", "GET ftp://a/admin", "GET http://x@a/admin", "GET /adm\xefn"];
    const { port } = await served({ inbound: { authorization: { policy: { rules: [{ id: "all", action: "allow" }] } } } });
    const answers = await Promise.all(lines.map((line) => askRaw(port, `${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)));
    expect(answers.map((answer) => answer.slice(9, 12))).toEqual(lines.map(() => "400"));
  });
});

describe("T02: a host that two readers read differently", () => {
  const rules: PolicyRule[] = [
    { id: "inner", action: "deny", to: { headers: [{ name: "host", exact: "inner.test" }] } },
    { id: "rest", action: "allow" },
  ];

  test("is the same for a rule as host and as :authority, in any case, with the port of the scheme and the dot at the end", async () => {
    const { http1, http2 } = await both(rules);
    for (const host of ["inner.test", "INNER.test", "inner.test.", "inner.test:80", "Inner.Test.:443"]) {
      expect(await http1(`GET / HTTP/1.1\r\nHost: ${host}`), host).toBe(403);
      expect(await http2({ ":path": "/", ":authority": host }), host).toBe(403);
    }
    expect(await http1("GET / HTTP/1.1\r\nHost: inner.test:8080")).toBe(200);
    expect(await http2({ ":path": "/", ":authority": "outer.test" })).toBe(200);
  });

  test("is answered with 400 where a request names two", async () => {
    const { http1, http2 } = await both(rules);
    expect(await http1("GET / HTTP/1.1\r\nHost: outer.test\r\nHost: inner.test")).toBe(400);
    expect(await http1("GET http://inner.test/ HTTP/1.1\r\nHost: outer.test")).toBe(400);
    expect(await http1("GET http://outer.test/ HTTP/1.1\r\nHost: outer.test")).toBe(200);
    expect(await http2({ ":path": "/", ":authority": "outer.test", host: "inner.test" })).toBe(400);
    expect(await http2({ ":path": "/", ":authority": "outer.test", host: "outer.test" })).toBe(200);
  });
});

describe("T45: mistakes of a policy, and requests that are almost the allowed ones", () => {
  test("an empty policy, and one that only denies, let nothing pass", async () => {
    expect(await statuses([], ["GET /"])).toEqual(["403"]);
    expect(await statuses([{ id: "a", action: "deny", to: { paths: ["/admin"] } }], ["GET /"])).toEqual(["403"]);
  });

  test.each([
    "rules:",
    "rules: [{ id: a, action: allow, from: { identities: [] } }]",
    "rules: [{ id: a, action: allow, form: { identities: [x] } }]",
    "rules: [{ id: a, action: allow, to: { methods: [get] } }]",
    "rules: [{ id: a, action: allow, to: { paths: [{ regex: '(a+)+\\1' }] } }]",
  ])("a policy that is wrong is no policy: %s", (text) => {
    expect(() => parsePolicy(text)).toThrow(/^policy:\d+:\d+: /);
  });

  test("another method, another case and another ending are other requests", async () => {
    const rules: PolicyRule[] = [{ id: "read", action: "allow", to: { methods: ["GET"], paths: ["/orders/{id}"] } }];
    const lines = [
      "GET /orders/1",
      "HEAD /orders/1",
      "POST /orders/1",
      "GET /Orders/1",
      "GET /orders/1/",
      "GET /orders/",
      "GET /orders/1/x",
      "GET /orders/1?x=/admin",
    ];
    expect(await statuses(rules, lines)).toEqual(["200", "403", "403", "403", "403", "403", "403", "200"]);
  });

  test("a text that a reader of YAML takes minutes for is read or refused soon, and never ends with another error", () => {
    const texts = {
      "many keys": `{${Array.from({ length: 60_000 }, (_, at) => `k${at}: 1`).join()}}`,
      "marks of keys": `${"? ".repeat(20_000)}a`,
      "marks and dashes": "- ? : - ".repeat(3_000),
      colons: ": ".repeat(20_000),
      comments: "# x\n".repeat(200_000),
      "empty values": `rules: [${"a,".repeat(300_000)}]`,
      brackets: "[".repeat(100_000),
      aliases:
        "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nrules: [*c,*c,*c,*c]",
      "a key twice": '{"rules":[{"id":"a","action":"deny","action":"allow"}]}',
      "a key twice, in blocks": "rules: []\nrules: []",
    };
    for (const [name, text] of Object.entries(texts)) {
      const startedAt = performance.now();
      expect(() => parsePolicy(text), name).toThrow(PolicyError);
      // The keys alone took eight minutes, each compared with all others.
      expect(performance.now() - startedAt, name).toBeLessThan(20_000);
    }
  }, 60_000);

  test("an expression that others take exponential time for takes none", async () => {
    const rules: PolicyRule[] = [{ id: "evil", action: "allow", to: { headers: [{ name: "x", regex: "(a|a)*b|(a*)*c" }] } }];
    const { port } = await guarded({ authorization: { policy: { rules } } });
    const startedAt = performance.now();
    expect((await ask(port, { headers: { x: "a".repeat(10_000) } })).status).toBe(403);
    // Backtracking takes longer than the universe is old.
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  test("a header that is sent twice, once with the value that is allowed, is not allowed", async () => {
    const { port } = await guarded({
      authorization: { policy: { rules: [{ id: "team", action: "allow", to: { headers: [{ name: "x-team", exact: "a" }] } }] } },
    });
    expect((await ask(port, { headers: { "x-team": "a" } })).status).toBe(200);
    expect((await ask(port, { headers: { "x-team": ["a", "b"] } })).status).toBe(403);
  });

  test("all below a path are neither the path itself nor what begins alike", async () => {
    const { port } = await guarded({
      trust: { identity: "x-forwarded-client-cert" },
      authorization: { policy: { rules: [{ id: "shop", action: "allow", from: { identities: ["spiffe://td/shop/"] } }] } },
    });
    const status = async (id: string) => (await ask(port, { headers: { "x-forwarded-client-cert": `URI=${id}` } })).status;
    expect([await status("spiffe://td/shop/web"), await status("spiffe://td/shop/eu/web")]).toEqual([200, 200]);
    for (const id of [
      "spiffe://td/shop",
      "spiffe://td/shopping/web",
      "spiffe://td/shop/",
      "spiffe://td2/shop/web",
      "spiffe://td/x/shop/web",
    ])
      expect(await status(id), id).toBe(403);
  });

  test("an identity that is only claimed is none", async () => {
    const { port } = await guarded({
      trust: { peers: [] },
      authorization: { policy: { rules: [{ id: "web", action: "allow", from: { identities: ["*"] } }] } },
    });
    const claims = { "x-forwarded-client-cert": "URI=spiffe://example.org/web", "x-identity": "spiffe://example.org/web" };
    expect((await ask(port, { headers: claims })).status).toBe(403);
  });
});

describe("T47: a service that lends its own rights to a caller", () => {
  test("sends no call that its authorize refuses, whatever path the caller made up", async () => {
    const mesh = meshOf({ orders: 1 }, { authorize: ({ path }) => path.startsWith("/public/") });
    for (const target of ["orders/admin", "orders/publicity"])
      await expect(mesh.fetch(target as "orders/x")).rejects.toMatchObject({ code: "ERR_MESH_FORBIDDEN", maybeExecuted: false });
  });
});
