import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Discovery } from "../../src/extend.ts";
import { createMesh, type Mesh, roundRobin } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";
import { available } from "../servers/available.ts";
import { startConsul } from "../servers/consul.ts";
import { startEureka } from "../servers/eureka.ts";
import { until } from "../support/until.ts";
import { type RealRegistry, realRegistries, registryNames } from "./real-registries.ts";

const timeout = 90_000;
/** For a registry to say it, and for a busy machine. */
const knownWithinMs = 12_000;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}, timeout);

/** An instance that counts its requests. */
async function instance(): Promise<{ readonly port: number; hits: number; close(): void }> {
  const made = { port: 0, hits: 0, close: () => {} };
  const server = createServer((_, response) => {
    made.hits++;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  made.port = (server.address() as AddressInfo).port;
  made.close = () => {
    server.closeAllConnections();
    server.close();
  };
  cleanups.push(() => made.close());
  return made;
}

const instances = (count: number) => Promise.all(Array.from({ length: count }, instance));

function meshOver(discovery: Discovery): Mesh {
  const mesh = createMesh({ discovery, observers: [], picker: roundRobin() });
  cleanups.push(() => mesh.close());
  return mesh;
}

const post = (mesh: Mesh) => mesh.fetch("shop/items", { method: "POST", body: "{}" }).then((response) => response.text());
const known = (mesh: Mesh) => mesh.explain("shop")?.endpoints ?? [];

async function untilKnown(mesh: Mesh, count: number, withinMs = 40_000): Promise<void> {
  await until(
    `${count} endpoints are known`,
    async () => {
      await post(mesh).catch(() => {});
      return known(mesh).length === count;
    },
    withinMs,
  );
}

async function start(name: (typeof registryNames)[number], refreshMs?: number): Promise<RealRegistry> {
  const registry = await realRegistries[name](refreshMs);
  cleanups.push(() => registry.server.stop());
  return registry;
}

for (const name of registryNames) {
  describe.skipIf(!available(name))(`instances that leave a real ${name} properly`, () => {
    it("get no call once it has said so, and are soon known no more, though they are most of all", { timeout }, async () => {
      const { discovery, list, unlist } = await start(name);
      const shop = await instances(8);
      const ports = shop.map(({ port }) => port);
      await list(ports);
      const mesh = meshOver(discovery);
      await untilKnown(mesh, 8);
      await unlist(ports.slice(2), ports.slice(0, 2));
      // As soon as the answer has come, what it leaves out is no equal any more.
      await until(
        "the answer has come",
        async () => {
          await post(mesh);
          return known(mesh).filter(({ candidate }) => candidate).length === 2;
        },
        knownWithinMs,
      );
      const before = shop.slice(2).reduce((sum, { hits }) => sum + hits, 0);
      for (let call = 0; call < 50; call++) await post(mesh);
      await untilKnown(mesh, 2, knownWithinMs);
      expect(shop.slice(2).reduce((sum, { hits }) => sum + hits, 0)).toBe(before);
    });
  });
}

describe.skipIf(!available("consul"))("a real consul", () => {
  it("that has lost its data proves nothing, though other services have taken its index past the last one", { timeout }, async () => {
    const { server, discovery, list } = await start("consul");
    const shop = await instances(5);
    const ports = shop.map(({ port }) => port);
    await list(ports);
    const mesh = meshOver(discovery);
    await untilKnown(mesh, 5);
    await server.restart();
    const restarted = server as Awaited<ReturnType<typeof startConsul>>;
    for (let other = 0; other < 30; other++) await restarted.registerService({ Name: `other-${other}`, Port: 1 });
    await list(ports.slice(0, 1));
    await until(
      "it lists one",
      async () => {
        await post(mesh);
        return known(mesh).filter(({ candidate }) => candidate).length === 1;
      },
      knownWithinMs,
    );
    for (let call = 0; call < 20; call++) await post(mesh);
    expect(known(mesh), "the others are kept as a last resort").toHaveLength(5);
    shop[0]?.close();
    // The only one that is listed fails, and the last resort answers.
    for (let call = 0; call < 20; call++) expect((await mesh.fetch("shop/items")).status).toBe(200);
  });

  it("with every instance in maintenance, or failing its own check, leaves none at once, and all are back at once", {
    timeout,
  }, async () => {
    const server = await startConsul();
    cleanups.push(() => server.stop());
    const [one, two] = await instances(2);
    const ports = [one?.port ?? 0, two?.port ?? 0];
    for (const port of ports)
      await server.registerService({
        Name: "shop",
        ID: `shop-${port}`,
        Address: "127.0.0.1",
        Port: port,
        Check: { TTL: "600s", Status: "passing" },
      });
    const mesh = meshOver(consul({ url: server.url, minIntervalMs: 20 }));
    await untilKnown(mesh, 2);
    const each = (act: (port: number) => Promise<void>) => Promise.all(ports.map(act));
    await each((port) => server.setMaintenance(`shop-${port}`, true));
    await untilKnown(mesh, 0, knownWithinMs);
    await expect(post(mesh)).rejects.toThrow(/listed none that may be called \(left out: 2 × in maintenance\)/);
    await each((port) => server.setMaintenance(`shop-${port}`, false));
    await untilKnown(mesh, 2, knownWithinMs);
    await each((port) => server.setCheck(`service:shop-${port}`, "critical"));
    await untilKnown(mesh, 0, knownWithinMs);
    await expect(post(mesh)).rejects.toThrow(/2 × critical by a check of its own/);
    await each((port) => server.setCheck(`service:shop-${port}`, "passing"));
    await untilKnown(mesh, 2, knownWithinMs);
  });

  it("whose instances have only not renewed their checks keeps them until that is confirmed", { timeout }, async () => {
    const server = await startConsul();
    cleanups.push(() => server.stop());
    const [one] = await instances(1);
    const port = one?.port ?? 0;
    const Check = { TTL: "2s", Status: "passing" };
    await server.registerService({ Name: "shop", ID: "shop-1", Address: "127.0.0.1", Port: port, Check });
    const mesh = meshOver(consul({ url: server.url, minIntervalMs: 20 }));
    await untilKnown(mesh, 1);
    await until(
      "its check has expired",
      async () => {
        const entries = (await server.get("/v1/health/service/shop?passing=1")) as unknown[];
        return entries.length === 0;
      },
      knownWithinMs,
    );
    await until("the mesh has been told", async () => mesh.explain("shop")?.registry.state === "doubted", knownWithinMs);
    await post(mesh);
    expect(known(mesh)).toHaveLength(1);
  });
});

describe.skipIf(!available("eureka"))("a real eureka", () => {
  it("with every instance OUT_OF_SERVICE leaves none within its delays, and all are back", { timeout }, async () => {
    const server = await startEureka();
    cleanups.push(() => server.stop());
    const [one, two] = await instances(2);
    for (const port of [one?.port ?? 0, two?.port ?? 0]) await server.register({ app: "shop", instanceId: `shop-${port}`, port });
    const mesh = meshOver(eureka({ servers: [server.url], refreshMs: 300 }));
    await untilKnown(mesh, 2);
    const each = (status: "OUT_OF_SERVICE" | "UP") =>
      Promise.all([one, two].map((made) => server.setStatus("shop", `shop-${made?.port}`, status)));
    await each("OUT_OF_SERVICE");
    await untilKnown(mesh, 0, knownWithinMs);
    await expect(post(mesh)).rejects.toThrow(/2 × status OUT_OF_SERVICE/);
    await each("UP");
    await untilKnown(mesh, 2, knownWithinMs);
  });
});

for (const name of ["eureka", "bind"] as const) {
  describe.skipIf(!available(name))(`calls that find no instance of a real ${name}`, () => {
    it("make it be asked again long before its time", { timeout }, async () => {
      const { discovery, list, unlist } = await start(name, 60_000);
      const [old, next] = await instances(2);
      const [from, to] = [old?.port ?? 0, next?.port ?? 0];
      await list([from]);
      const mesh = meshOver(discovery);
      await untilKnown(mesh, 1);
      await list([to]);
      await unlist([from], [to]);
      old?.close();
      const startedAt = performance.now();
      await until(
        "a call is answered",
        () =>
          post(mesh).then(
            () => true,
            () => false,
          ),
        40_000,
      );
      expect(performance.now() - startedAt).toBeLessThan(30_000);
      expect(next?.hits).toBeGreaterThan(0);
    });
  });
}
