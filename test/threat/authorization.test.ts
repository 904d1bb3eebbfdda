import { describe, expect, test } from "vitest";
import type { PolicyRule } from "../../src/authorization/policy.ts";
import { parsePolicy } from "../../src/authorization/text/read-policy.ts";
import { ask, askRaw, guarded } from "../server/inbound/served.ts";
import { meshOf } from "../support/mesh.ts";

/** The status of each request line, sent as it is written, to a server with these rules. */
async function statuses(rules: readonly PolicyRule[], lines: readonly string[]): Promise<readonly string[]> {
  const { port } = await guarded({ authorization: { policy: { rules } } });
  const answers = await Promise.all(lines.map((line) => askRaw(port, `${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)));
  return answers.map((answer) => answer.slice(9, 12));
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
    expect(await statuses(rules, ["GET /admin", "GET /admin/users", "GET http://other/admin", "GET /public"])).toEqual([
      "403",
      "403",
      "403",
      "200",
    ]);
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
