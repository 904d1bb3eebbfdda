import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { consul } from "../../src/registries/consul.ts";
import { available } from "../servers/available.ts";
import { startConsul } from "../servers/consul.ts";
import { startConsulSidecar } from "../servers/consul-sidecar.ts";
import { until } from "../support/until.ts";

interface Answering {
  end(text: string): unknown;
}

/** A service without TLS, which says in which protocol its sidecar has called it. */
async function appOf(speaks: "h1" | "h2c") {
  const answer = ({ method, httpVersion }: { method?: string | undefined; httpVersion: string }, response: Answering): void =>
    void response.end(`${method} in HTTP/${httpVersion}`);
  const server = speaks === "h1" ? createServer((...both) => answer(...both)) : createHttp2Server((...both) => answer(...both));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

// The sidecar offers HTTP/2 for the last two only, and hands on to the service the protocol that it is called in.
const services = [
  ["tcp", "h1", "1.1"],
  ["http", "h1", "1.1"],
  ["http2", "h2c", "2.0"],
  ["grpc", "h2c", "2.0"],
] as const;

describe.skipIf(!available("consul") || !available("envoy"))("a service behind a real sidecar", () => {
  it.each(services)(
    "that Consul knows as one of %s is called in the protocol that its sidecar chooses",
    async (protocol, speaks, version) => {
      await using server = await startConsul({ grpc: true, config: { connect: { enabled: true }, default_intention_policy: "allow" } });
      await server.put("/v1/config", { Kind: "service-defaults", Name: "orders", Protocol: protocol });
      const app = await appOf(speaks);
      try {
        await using _sidecar = await startConsulSidecar(server, { service: "orders", servicePort: app.port });
        const registry = consul({ url: server.url, connect: true });
        const meshWith = (options: Partial<MeshOptions>) =>
          createMesh({ discovery: registry, identity: registry.identity("web"), retry: false, ...options });
        await using mesh = meshWith({ healthCheck: { type: "http", path: "/", intervalMs: 200 } });
        await until("the sidecar is ready", async () => (await mesh.fetch("orders/").catch(() => undefined))?.ok === true, 20_000);
        const posted = await mesh.fetch("orders/x", { method: "POST", body: "a body" });
        expect(await posted.text()).toBe(`POST in HTTP/${version}`);
        const reply = await mesh.request("orders/x");
        expect(await reply.body.text()).toBe(`GET in HTTP/${version}`);
        // Its health checks choose as its requests do.
        expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ state: "available" });

        // An option goes before the choice. What the sidecar does not offer is refused in the handshake, before anything is sent.
        if (speaks === "h1") {
          await using insisting = meshWith({ protocol: "h2" });
          await expect(insisting.fetch("orders/x")).rejects.toMatchObject({
            code: "ERR_MESH_TLS_PEER",
            attempts: [{ maybeExecuted: false }],
          });
        } else {
          await using plain = meshWith({ protocol: "h1" });
          const refused = await plain.fetch("orders/x");
          expect([refused.status, await refused.text()]).toEqual([502, expect.stringContaining("protocol error")]);
        }
      } finally {
        app.close();
      }
    },
    60_000,
  );
});
