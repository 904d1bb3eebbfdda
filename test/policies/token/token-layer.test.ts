import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { createMesh, type IssuedToken, type MeshOptions, type ServiceTokenOptions, staticDiscovery } from "../../../src/index.ts";
import { rejectionOf } from "../../support/rejection.ts";

const issued = (token: string, ms = 600_000): IssuedToken => ({ token, expiresAtMs: Date.now() + ms });

/** Two services on one server, and the headers that have come to it. */
async function two(token: ServiceTokenOptions, more: Partial<MeshOptions> = {}) {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization}`);
    if (request.url === "/away") response.writeHead(302, { location: "/other" });
    if (request.url === "/failing" && seen.length === 1) response.writeHead(503);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const instance = [{ host: "127.0.0.1", port: (server.address() as AddressInfo).port }];
  const mesh = createMesh({
    discovery: staticDiscovery({ orders: instance, payments: instance }),
    services: { orders: { token } },
    ...more,
  });
  onTestFinished(async () => {
    await mesh.close();
    server.closeAllConnections();
    server.close();
  });
  const get = async (target: string, init?: RequestInit) => (await mesh.fetch(target, init)).text();
  return { mesh, seen, get };
}

it("a call carries the token of its service, asked for once, and calls to another service carry none", async () => {
  let asked = 0;
  const { seen, get } = await two({ allowPlain: true, audience: "shop", provider: async (audience) => issued(`${audience}-${++asked}`) });
  await Promise.all([get("orders/a"), get("orders/a"), get("orders/a")]);
  await get("payments/b");
  expect(seen).toEqual(["/a Bearer shop-1", "/a Bearer shop-1", "/a Bearer shop-1", "/b undefined"]);
});

it("a call with an own authorization header keeps it", async () => {
  const { seen, get } = await two({ allowPlain: true, provider: () => issued("t") });
  await get("orders/a", { headers: { authorization: "Basic own" } });
  expect(seen).toEqual(["/a Basic own"]);
});

it("a repeated attempt carries the token too", async () => {
  const { seen, get } = await two({ allowPlain: true, provider: () => issued("t") });
  await get("orders/failing");
  expect(new Set(seen)).toEqual(new Set(["/failing Bearer t"]));
});

it("a token is not sent without TLS", async () => {
  const { mesh, seen } = await two({ provider: () => issued("t") });
  await expect(mesh.fetch("orders/a")).rejects.toMatchObject({ code: "ERR_MESH_INVALID_TARGET", maybeExecuted: false });
  expect(seen).toEqual([]);
});

it("without a token nothing is sent, no instance is blamed, and the error shows no secret", async () => {
  const wrong: readonly (() => unknown)[] = [
    () => Promise.reject(new Error("secret")),
    () => {
      throw new Error("secret");
    },
    () => undefined,
    () => issued("secret\r\nx: y"),
    () => issued("secret", -1),
    () => ({ token: "secret" }),
    () => new Promise(() => {}),
  ];
  for (const provider of wrong) {
    const { mesh, seen } = await two({ allowPlain: true, timeoutMs: 50, provider: provider as never });
    const error = await rejectionOf(mesh.fetch("orders/a"));
    expect(error).toMatchObject({ code: "ERR_MESH_TOKEN", maybeExecuted: false, service: "orders", attempts: [] });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("secret");
    expect(seen).toEqual([]);
  }
});

it("a call that is given up stops waiting for its token", async () => {
  const { mesh } = await two({ allowPlain: true, provider: () => new Promise(() => {}) });
  const controller = new AbortController();
  const call = mesh.fetch("orders/a", { signal: controller.signal });
  controller.abort(new Error("given up"));
  await expect(call).rejects.toThrow("given up");
});

it("a handler's calls inherit nothing from the request that it answers", async () => {
  const { seen, get } = await two({ allowPlain: true, provider: () => issued("own") });
  const outer = createServer((_request, response) => {
    Promise.all([get("orders/x"), get("payments/y")]).then(() => response.end());
  });
  await new Promise<void>((resolve) => outer.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void outer.close());
  const headers = { authorization: "Bearer of-the-user", "x-caller-context": "of-the-user", cookie: "of-the-user" };
  await (await fetch(`http://127.0.0.1:${(outer.address() as AddressInfo).port}/`, { headers })).text();
  expect(seen.toSorted()).toEqual(["/x Bearer own", "/y undefined"]);
});
