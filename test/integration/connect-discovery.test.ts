import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { request as send } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import type { PeerOptions } from "../../src/core/connection-options.ts";
import type { Credentials } from "../../src/identity/credentials.ts";
import { createMesh } from "../../src/index.ts";
import { type Consul, consul } from "../../src/registries/consul.ts";
import { WatchReader } from "../../src/testing/contract/watch-reader.ts";
import { available } from "../servers/available.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";
import { startConsulSidecar } from "../servers/consul-sidecar.ts";
import { until } from "../support/until.ts";

/** Another service, registered at the sidecar of `orders`, is not called: what is expected of it does not come from its entry. */
async function impostor(server: ConsulServer, registry: Consul, port: number): Promise<void> {
  const destination = { DestinationServiceName: "payments", LocalServicePort: 9 };
  await server.registerService({ Kind: "connect-proxy", Name: "payments-proxy", Address: "127.0.0.1", Port: port, Proxy: destination });
  await using mesh = createMesh({ discovery: registry, identity: registry.identity("web"), retry: false });
  const error = await mesh.fetch("payments/orders/1").catch((failure: unknown) => failure as Error);
  expect(error).toMatchObject({ code: "ERR_MESH_TLS_PEER" });
  expect(String((error as Error).message)).toContain("/svc/orders, and discovery lists");
}

describe.skipIf(!available("consul") || !available("envoy"))("a service behind a real sidecar", () => {
  it("is found at the sidecar, which takes the identity from Consul and refuses by an intention", async () => {
    await using server = await startConsul({ grpc: true, config: { connect: { enabled: true }, default_intention_policy: "deny" } });
    await server.put("/v1/config", { Kind: "service-defaults", Name: "orders", Protocol: "http" });
    const Sources = [{ Name: "web", Permissions: [{ Action: "allow", HTTP: { PathPrefix: "/orders" } }] }];
    await server.put("/v1/config", { Kind: "service-intentions", Name: "orders", Sources });
    const xfcc: unknown[] = [];
    const plain = createServer((request, response) => {
      xfcc.push(request.headers["x-forwarded-client-cert"]);
      response.end(`${request.method} at orders`);
    }).listen(0, "127.0.0.1");
    await once(plain, "listening");
    await using sidecar = await startConsulSidecar(server, { service: "orders", servicePort: (plain.address() as AddressInfo).port });
    const registry = consul({ url: server.url, connect: true });
    const reader = new WatchReader(registry, "orders");
    const updates: Credentials[] = [];
    const watch = registry.identity("web").watch({ update: (each) => void updates.push(each), withdraw() {}, fail() {} });
    try {
      const endpoint = await until("the sidecar is listed", () => reader.changes.at(-1)?.[0] ?? false, 20_000);
      const roots = (await server.get("/v1/agent/connect/ca/roots")) as { TrustDomain: string };
      expect(endpoint).toMatchObject({
        host: "127.0.0.1",
        port: sidecar.port,
        secure: true,
        peer: {
          id: `spiffe://${roots.TrustDomain}/ns/default/dc/*/svc/orders`,
          serverName: `orders.default.dc1.internal.${roots.TrustDomain}`,
        },
      });
      const { certificate: cert, key, trust } = await until("the identity", () => updates[0] ?? false);
      const tls = {
        cert,
        key,
        ca: [...trust.bundles.values()].flat(),
        checkServerIdentity: () => undefined,
        minVersion: "TLSv1.3" as const,
      };
      const ask = async (method: string, path: string, headers = {}): Promise<readonly [number | undefined, string]> => {
        const request = send({ ...tls, host: endpoint.host, port: endpoint.port, method, path, headers, agent: false });
        request.end(method === "POST" ? "a body" : undefined);
        const [response] = (await once(request, "response")) as [IncomingMessage];
        return [response.statusCode, (await response.toArray()).join("")];
      };
      await until("the sidecar allows", async () => (await ask("GET", "/orders"))[0] === 200, 20_000);
      expect(await ask("POST", "/orders/1")).toEqual([200, "POST at orders"]);
      expect((await ask("GET", "/admin"))[0]).toBe(403);
      const [domain] = trust.bundles.keys();
      const meshFor = (peer: PeerOptions) =>
        createMesh({ discovery: registry, identity: registry.identity("web"), services: { orders: { peer } } });
      await using mesh = meshFor({});
      const posted = await mesh.fetch("orders/orders/1", { method: "POST", body: "a body" });
      expect([posted.status, await posted.text()]).toEqual([200, "POST at orders"]);
      const denied = await mesh.fetch("orders/admin");
      expect([denied.status, await denied.text()]).toEqual([403, "RBAC: access denied"]);
      await using other = meshFor({ id: `spiffe://${domain}/ns/default/dc/dc1/svc/payments` });
      await expect(other.fetch("orders/orders/1")).rejects.toMatchObject({ cause: { code: "ERR_MESH_TLS_PEER" } });
      await impostor(server, registry, sidecar.port);
      // A claim of the caller stands in front of the sidecar's own element.
      await ask("GET", "/orders", { "x-forwarded-client-cert": "URI=spiffe://forged/ns/default/dc/dc1/svc/root" });
      const [trustDomain] = trust.bundles.keys();
      expect(String(xfcc.at(-1))).toMatch(/^URI=spiffe:\/\/forged/);
      expect(String(xfcc.at(-1)).split(",").at(-1)).toContain(`URI=spiffe://${trustDomain}/ns/default/dc/dc1/svc/web`);
    } finally {
      watch.close();
      await reader.stop();
      plain.close();
    }
  }, 60_000);
});
