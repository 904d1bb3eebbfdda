import { describe, expect, it } from "vitest";
import type { Route } from "../../src/routing/route.ts";
import { ask, served } from "../server/inbound/served.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve } from "../support/servers.ts";

/** A mesh of the services `shop` and `orders`, each of which answers with its name and what it was asked. */
async function shop(routes: readonly Route[], options: Parameters<typeof meshOf>[1] = {}) {
  const instance = (name: string) =>
    serve((request, response) => {
      response.setHeader("x-served-by", name);
      response.end(JSON.stringify({ name, method: request.method, url: request.url, headers: request.headers }));
    });
  const [shop, orders] = [await instance("shop"), await instance("orders")];
  return meshOf({ shop: shop.port, orders: orders.port }, { ...options, routes });
}

describe("routes", () => {
  it("send a call to another service, with another path and other headers", async () => {
    const mesh = await shop([
      {
        match: { service: "shop", path: { prefix: "/api/orders" } },
        to: "orders",
        rewrite: { prefix: "/v2" },
        requestHeaders: { set: { "x-routed": "yes" }, remove: ["x-secret"] },
        responseHeaders: { remove: ["x-served-by"], add: { "x-by": "route" } },
      },
    ]);
    const response = await mesh.fetch("shop/api/orders/7?full=1", { headers: { "x-secret": "1" } });
    const seen = (await response.json()) as { name: string; url: string; headers: Record<string, string> };
    expect(seen).toMatchObject({ name: "orders", url: "/v2/7?full=1", headers: { "x-routed": "yes" } });
    expect(seen.headers["x-secret"]).toBeUndefined();
    expect([response.headers.get("x-by"), response.headers.get("x-served-by")]).toEqual(["route", null]);
    expect(await (await mesh.fetch("shop/other")).json()).toMatchObject({ name: "shop", url: "/other" });
  });

  it("answer without an instance, and redirect within the service", async () => {
    const mesh = await shop([
      { match: { path: { exact: "/health" } }, respond: { status: 200, body: "fine", headers: { "X-Kind": "made" } } },
      { match: { path: { template: "/old/{id}" } }, redirect: { path: "/new/{id}", status: 308 } },
    ]);
    const made = await mesh.fetch("shop/health");
    expect([made.status, made.headers.get("x-kind"), await made.text()]).toEqual([200, "made", "fine"]);
    expect((await mesh.fetch("shop/old/7?a=1")).headers.get("location")).toBe("/new/7?a=1");
    const followed = await mesh.fetch("shop/old/7?a=1", { redirect: "follow" });
    expect(await followed.json()).toMatchObject({ name: "shop", url: "/new/7?a=1" });
  });

  it("are above authorize, which decides on what is sent", async () => {
    const authorize = ({ path }: { readonly path: string }) => path.startsWith("/public");
    const mesh = await shop(
      [
        { match: { path: { prefix: "/public/admin" } }, rewrite: { prefix: "/admin" } },
        { match: { path: { prefix: "/open" } }, rewrite: { prefix: "/public" } },
      ],
      { authorize },
    );
    expect(await rejectionOf(mesh.fetch("shop/public/admin/x"))).toMatchObject({ code: "ERR_MESH_FORBIDDEN", service: "shop" });
    expect(await (await mesh.fetch("shop/open/x")).json()).toMatchObject({ url: "/public/x" });
    expect((await mesh.fetch("shop/public/y")).status).toBe(200);
  });
});

describe("routes by the caller that is being answered", () => {
  it("match its verified identity, and set its address", async () => {
    const mesh = await shop([
      {
        match: { caller: ["spiffe://td/ns/web/*", "spiffe://td/admin"] },
        to: "orders",
        requestHeaders: { set: { "x-client": { text: "{client.address} {method} {header.x-user}" } } },
      },
    ]);
    const trust = { peers: ["127.0.0.1"], identity: "x-forwarded-client-cert" } as const;
    const { port } = await served({ inbound: { trust } }, async (_request, response) => {
      response.end(await (await mesh.fetch("shop/x", { headers: { "x-user": "7" } })).text());
    });
    const seenBy = async (id: string) => JSON.parse((await ask(port, { headers: { "x-forwarded-client-cert": `URI=${id}` } })).text);
    expect(await seenBy("spiffe://td/ns/web/a")).toMatchObject({ name: "orders", headers: { "x-client": "127.0.0.1 GET 7" } });
    expect(await seenBy("spiffe://td/admin")).toMatchObject({ name: "orders" });
    expect(await seenBy("spiffe://td/ns/web")).toMatchObject({ name: "shop" });
    expect(await seenBy("spiffe://td/ns/website/a")).toMatchObject({ name: "shop" });
    expect(await (await mesh.fetch("shop/x")).json()).toMatchObject({ name: "shop" });
  });
});
