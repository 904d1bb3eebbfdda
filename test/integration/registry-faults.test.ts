import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createMesh, isMeshError, type Mesh } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { available } from "../servers/available.ts";
import { startConsul } from "../servers/consul.ts";
import { until } from "../support/until.ts";
import { FaultyProxy } from "./faulty-proxy.ts";
import { type RealRegistry, realRegistries, registryNames } from "./real-registries.ts";
import { SteadyLoad } from "./steady-load.ts";

const timeout = 90_000;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}, timeout);

for (const name of registryNames) {
  describe.skipIf(!available(name))(`a mesh over a real ${name}`, () => {
    it("loses no request while the registry is killed, and learns of changes again when it is back", { timeout }, async () => {
      const { server, mesh, list } = await meshOver(name);
      const ports = [await instance("a"), await instance("b")];
      await list(ports);
      await untilListed(mesh, ports);
      const load = new SteadyLoad(mesh, "shop/items");
      await load.runFor(500);

      await server.kill();
      await load.runFor(3_000);
      expect(mesh.explain("shop")?.endpoints).toHaveLength(2);

      await server.restart();
      const third = await instance("c");
      // Consul and Eureka came back without their data: the instances register again, as real ones do.
      await list([...ports, third]);
      await untilListed(mesh, [...ports, third]);
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(load.answered).toBeGreaterThan(100);
    });

    it("loses no request while the registry hangs", { timeout }, async () => {
      const { server, mesh, list } = await meshOver(name);
      const ports = [await instance("a"), await instance("b")];
      await list(ports);
      await untilListed(mesh, ports);
      const load = new SteadyLoad(mesh, "shop/items");
      server.pause();
      await load.runFor(3_000);
      server.resume();
      await load.stop();
      expect(load.failures).toEqual([]);
    });

    it("keeps the last good instances when the registry comes back empty", { timeout }, async () => {
      const { server, mesh, list } = await meshOver(name);
      const ports = [await instance("a"), await instance("b")];
      await list(ports);
      await untilListed(mesh, ports);
      const load = new SteadyLoad(mesh, "shop/items");
      await load.runFor(300);
      if (name === "bind") await list([]);
      else await server.restart();
      await load.runFor(4_000);
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(mesh.explain("shop")?.endpoints).toHaveLength(2);
    });

    it("fails calls fast while the registry is down at start, and works by itself when it comes up", { timeout }, async () => {
      const { server, mesh, list } = await meshOver(name);
      const port = await instance("a");
      await server.kill();
      for (let call = 0; call < 3; call++) {
        const startedAt = performance.now();
        const error = await mesh.fetch("shop/items").catch((reason: unknown) => reason);
        if (!isMeshError(error)) throw error;
        expect(error.code).toBe("ERR_MESH_NO_ENDPOINTS");
        expect(error.maybeExecuted).toBe(false);
        // discoveryTimeoutMs is 1000; the rest is what a busy machine adds.
        expect(performance.now() - startedAt).toBeLessThan(4_000);
      }
      await server.restart();
      await list([port]);
      await until(
        "the first call is answered",
        async () => (await mesh.fetch("shop/items").catch(() => undefined))?.status === 200,
        40_000,
      );
    });
  });
}

describe.skipIf(!available("consul"))("a mesh over a Consul that answers wrongly", () => {
  const faults = {
    "with 500": { status: 500, body: "No cluster leader" },
    "with garbage": { status: 200, body: "<html>", index: "7" },
    "with null": { status: 200, body: "null", index: "7" },
    "with an index that goes backwards and no instance": { status: 200, body: "[]", index: "1" },
    "without an index": { status: 200, body: "[]" },
    "with 400": { status: 400, body: "bad request" },
    "with 403": { status: 403, body: "ACL not found" },
  } as const;
  for (const [what, answer] of Object.entries(faults)) {
    it(`${what} loses no request and sees the next change`, { timeout }, async () => {
      const server = await startConsul();
      const proxy = await FaultyProxy.to(server.url);
      const mesh = createMesh({
        discovery: consul({ url: proxy.url, minIntervalMs: 20, requestTimeoutMs: 1_000, waitMs: 1_000 }),
        observers: [],
      });
      cleanups.push(
        () => server.stop(),
        () => proxy.close(),
        () => mesh.close(),
      );
      const list = (port: number) => server.registerService({ Name: "shop", ID: `shop-${port}`, Address: "127.0.0.1", Port: port });
      const ports = [await instance("a"), await instance("b")];
      for (const port of ports) await list(port);
      await untilListed(mesh, ports);
      const load = new SteadyLoad(mesh, "shop/items");

      proxy.answerWith(answer);
      await load.runFor(2_500);
      proxy.passThrough();
      const third = await instance("c");
      await list(third);
      await untilListed(mesh, [...ports, third]);
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(proxy.answered).toBeGreaterThan(0);
      // No busy loop: a client that asks again at once would have asked thousands of times.
      expect(proxy.answered).toBeLessThan(60);
    });
  }
});

async function meshOver(name: keyof typeof realRegistries): Promise<RealRegistry & { readonly mesh: Mesh }> {
  const registry = await realRegistries[name]();
  const mesh = createMesh({ discovery: registry.discovery, observers: [] });
  cleanups.push(
    () => registry.server.stop(),
    () => mesh.close(),
  );
  return { ...registry, mesh };
}

/** A small HTTP instance in this process. */
async function instance(body: string): Promise<number> {
  const server: Server = createServer((_, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function untilListed(mesh: Mesh, ports: readonly number[]): Promise<void> {
  await until(
    `the mesh knows the ports ${ports.join(", ")}`,
    async () => {
      await mesh.fetch("shop/items").then(
        (response) => response.text(),
        () => {},
      );
      const known = mesh.explain("shop")?.endpoints.map(({ endpoint }) => endpoint.port) ?? [];
      return known.length === ports.length && ports.every((port) => known.includes(port));
    },
    40_000,
  );
}
