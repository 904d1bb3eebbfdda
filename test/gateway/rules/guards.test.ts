import { describe, expect, test } from "vitest";
import { TokenRefused, type TokenVerifier } from "../../../src/authentication/token-verifier.ts";
import type { GatewayRule } from "../../../src/gateway/rules/rule-options.ts";
import { exchange, gatewayTo } from "../../support/gateway.ts";
import { serve } from "../../support/servers.ts";

/** Takes the token `good`, at once or later. */
const tokens = (isLate = false): TokenVerifier => ({
  name: "test",
  isRequired: true,
  place: { kind: "bearer" },
  isFor: () => true,
  verify(token) {
    if (token !== "good") throw new TokenRefused("no");
    const verified = { provider: "test", issuer: "i", subject: "s", audience: [], scopes: [], claims: {} } as never;
    return isLate ? Promise.resolve(verified) : verified;
  },
});

async function guarded(rules: Readonly<Record<string, GatewayRule>>) {
  const instance = await serve((request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    response.end(request.url);
  });
  const routes = [
    { name: "api", match: { path: { prefix: "/api" } }, to: "web" },
    { name: "upload", match: { path: { prefix: "/upload" }, method: "PUT" }, to: "web" },
  ];
  const { port } = await gatewayTo(instance.port, { rules, service: undefined as never }, { routes } as never);
  const call = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, init);
  return { instance, port, call };
}

describe("the demands of a gateway on the requests of a route", () => {
  test.each([false, true])("refuse those without a token that holds, upgrades too (verified later: %s)", async (isLate) => {
    const { instance, port, call } = await guarded({ api: { tokens: [tokens(isLate)] } });
    const missing = await call("/api/x");
    expect(missing.status).toBe(401);
    expect(missing.headers.get("www-authenticate")).toBe("Bearer");
    const wrong = await call("/api/x", { method: "POST", body: "x", headers: { authorization: "Bearer bad" } });
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
    const upgrade = await exchange(port, "GET /api/x HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    expect(upgrade).toMatch(/^HTTP\/1.1 401 /);
    expect(instance.begun).toEqual([]);
    const right = await call("/api/x", { headers: { authorization: "Bearer good" } });
    expect(await right.text()).toBe("/api/x");
    expect((await call("/nothing")).status).toBe(404);
  });

  test("limit the requests of a client", async () => {
    const { call } = await guarded({ api: { rateLimit: { perSecond: 0.01, burst: 2 } } });
    const statuses = [];
    for (let index = 0; index < 3; index++) statuses.push((await call("/api/")).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(Number((await call("/api/")).headers.get("retry-after"))).toBeGreaterThan(1);
  });

  test("let pages of listed origins read answers, refusals included, whatever the instance says", async () => {
    const origin = "https://shop.example";
    const cors = { origins: [origin], credentials: true, exposed: ["x-total"] };
    const { instance, call } = await guarded({ upload: { cors, tokens: [tokens()] } });
    const headers = { origin, "access-control-request-method": "PUT" };
    const asked = await call("/upload", { method: "OPTIONS", headers });
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-origin")).toBe(origin);
    expect(asked.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(asked.headers.get("access-control-max-age")).toBe("600");
    expect(instance.begun).toEqual([]);
    const other = await call("/upload", { method: "OPTIONS", headers: { ...headers, origin: "https://evil.example" } });
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
    expect(other.headers.get("vary")).toBe("origin");
    const refused = await call("/upload", { method: "PUT", headers: { origin } });
    expect(refused.status).toBe(401);
    expect(refused.headers.get("access-control-allow-origin")).toBe(origin);
    const passed = await call("/upload", { method: "PUT", headers: { origin, authorization: "Bearer good" } });
    expect(passed.headers.get("access-control-allow-origin")).toBe(origin);
    expect(passed.headers.get("access-control-expose-headers")).toBe("x-total");
    const evil = await call("/upload", { method: "PUT", headers: { origin: "https://evil.example", authorization: "Bearer good" } });
    expect(evil.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("bound bodies, below and above the limit of the gateway", async () => {
    const { call } = await guarded({ upload: { maxBodyBytes: 2_000_000 }, "*": { maxBodyBytes: 10 } });
    expect((await call("/upload", { method: "PUT", body: "x".repeat(1_500_000) })).status).toBe(200);
    expect((await call("/api/", { method: "POST", body: "x".repeat(11) })).status).toBe(413);
    expect((await call("/api/", { method: "POST", body: "x".repeat(10) })).status).toBe(200);
  });

  test("are those of every request where the rule of a route does not say otherwise, demand by demand", async () => {
    const every = {
      tokens: [tokens()],
      rateLimit: { perSecond: 0.01, burst: 3 },
      maxBodyBytes: 10,
      cors: { origins: ["https://a.example"] },
    };
    const demands: readonly GatewayRule[] = [{}, { cors: false }, { maxBodyBytes: 20 }, { tokens: undefined as never }];
    for (const api of demands) expect((await (await guarded({ "*": every, api })).call("/api/x")).status).toBe(401);
    const { call } = await guarded({ "*": every, api: { tokens: [] }, upload: { rateLimit: false } });
    const good = { headers: { authorization: "Bearer good", origin: "https://a.example" } };
    expect((await call("/api/x", { method: "POST", body: "x".repeat(11) })).status).toBe(413);
    expect((await call("/api/x", good)).headers.get("access-control-allow-origin")).toBe("https://a.example");
    // One rate for all that share it.
    expect([(await call("/api/x")).status, (await call("/other", good)).status]).toEqual([200, 429]);
    for (let index = 0; index < 5; index++) expect((await call("/upload", { ...good, method: "PUT" })).status).toBe(200);
  });

  test("are an error where they are for no route, or contradict each other", async () => {
    await expect(guarded({ apis: {} })).rejects.toThrow("gateway: rules.apis is for no route; the routes are api, upload");
    await expect(guarded({ api: { cors: { origins: "*", credentials: true } } })).rejects.toThrow(/rules\.api\.cors: credentials need/);
    await expect(guarded({ api: { limit: 1 } as never })).rejects.toThrow(/rules\.api/);
  });
});
