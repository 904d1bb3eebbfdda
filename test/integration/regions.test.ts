import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { MeshError } from "../../src/core/errors.ts";
import type { Discovery } from "../../src/extend.ts";
import { createMesh, fallback, located, type Mesh, union } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { available } from "../servers/available.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";
import { until } from "../support/until.ts";
import { realRegistries } from "./real-registries.ts";

const timeout = 120_000;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}, timeout);

/** An instance that answers with its region, and can die and come back on its port. */
async function instance(region: string) {
  let server: Server;
  const listen = async (port: number) => {
    server = createServer((_request, response) => response.end(region));
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  const die = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  };
  cleanups.push(die);
  return { port, die, comeBack: () => listen(port) };
}

/** A datacentre of a region, with instances that are registered in it. */
async function datacentre(region: string, count = 2) {
  const server = await startConsul({ datacenter: region });
  cleanups.push(() => server.stop());
  const instances = await Promise.all(Array.from({ length: count }, () => instance(region)));
  for (const { port } of instances) await server.registerService({ Name: "shop", ID: `shop-${port}`, Address: "127.0.0.1", Port: port });
  return { server, instances };
}

const asked = (server: Pick<ConsulServer, "url">, datacenter?: string) =>
  consul({ url: server.url, minIntervalMs: 20, requestTimeoutMs: 1_000, ...(datacenter === undefined ? {} : { datacenter }) });

function meshOf(discovery: Discovery, options: object = {}): Mesh {
  const mesh = createMesh({ discovery, observers: [], ...options });
  cleanups.push(() => mesh.close());
  return mesh;
}

/** Calls one after another until `isEnough`. Each answer is a region, or the code of an error. */
async function load(mesh: Mesh, isEnough: (answers: readonly { text: string; atMs: number }[]) => boolean, withinMs = 20_000) {
  const answers: { text: string; atMs: number }[] = [];
  const start = performance.now();
  while (!isEnough(answers)) {
    if (performance.now() - start > withinMs) throw new Error(`in vain: ${answers.slice(-5).map(({ text }) => text)}`);
    const text = await mesh
      .fetch("shop/")
      .then((response) => response.text())
      .catch((error: unknown) => `${(error as MeshError).code}: ${(error as MeshError).message}`);
    answers.push({ text, atMs: performance.now() - start });
    await pause(2);
  }
  return answers;
}

const count = (number: number) => (answers: readonly unknown[]) => answers.length >= number;
const textsOf = (answers: readonly { text: string }[]) => [...new Set(answers.map(({ text }) => text))];
const isFrom = (region: string) => (answers: readonly { text: string }[]) => answers.at(-1)?.text === region;
const listedIn = (mesh: Mesh) => (mesh.explain("shop")?.endpoints ?? []).map(({ endpoint }) => endpoint.region).sort();

describe.skipIf(!available("consul"))("two real datacentres of Consul", { timeout }, () => {
  it.each(["joined", "separate"])("that are %s: calls stay in their region, leave it as it dies, and come back slowly", async (kind) => {
    const [eu, us] = [await datacentre("eu-west"), await datacentre("us-east")];
    if (kind === "joined") await eu.server.joinWan(us.server);
    const far = kind === "joined" ? asked(eu.server, "us-east") : asked(us.server);
    const discovery = union(located(asked(eu.server), { priority: 0 }), located(far, { priority: 1 }));
    const mesh = meshOf(discovery, { balancing: { slowStart: { windowMs: 2_000 } } });
    await load(mesh, count(1));
    await until("both regions are listed", () => listedIn(mesh).join() === "eu-west,eu-west,us-east,us-east");
    expect(textsOf(await load(mesh, count(50)))).toEqual(["eu-west"]);

    // The whole region: its instances, and its registry.
    await Promise.all(eu.instances.map(({ die }) => die()));
    if (kind === "separate") eu.server.pause();
    const during = await load(mesh, isFrom("us-east"));
    expect(textsOf(during)).toEqual(["us-east"]);
    expect(during.at(-1)?.atMs).toBeLessThan(1_000);
    expect(textsOf(await load(mesh, count(50)))).toEqual(["us-east"]);

    if (kind === "separate") eu.server.resume();
    await Promise.all(eu.instances.map(({ comeBack }) => comeBack()));
    const back = await load(mesh, isFrom("eu-west"));
    expect(textsOf(back).filter((text) => !["eu-west", "us-east"].includes(text))).toEqual([]);
    await until("an instance of the region is in slow start", () =>
      (mesh.explain("shop")?.endpoints ?? []).some(({ slowStartRatio = 1 }) => slowStartRatio < 1),
    );
    await load(mesh, (answers) => answers.length > 60 && answers.slice(-60).every(({ text }) => text === "eu-west"));
  });

  it("have their names as regions, which a boundary keeps to, also when the region dies", async () => {
    const [eu, us] = [await datacentre("eu-west"), await datacentre("us-east")];
    await eu.server.joinWan(us.server);
    const discovery = union(asked(eu.server), asked(eu.server, "us-east"));
    const mesh = meshOf(discovery, { boundary: { region: ["eu-*"] } });
    expect(textsOf(await load(mesh, count(30)))).toEqual(["eu-west"]);
    await until("the other region is known", () => mesh.explain("shop")?.outside.length === 2);
    await Promise.all(eu.instances.map(({ die }) => die()));
    expect(textsOf(await load(mesh, count(10))).filter((text) => text === "us-east")).toEqual([]);
    for (const { port } of eu.instances) await eu.server.deregisterService(`shop-${port}`);
    const late = meshOf(union(asked(eu.server), asked(eu.server, "us-east")), { boundary: { region: ["eu-*"] } });
    const [last] = await load(late, count(1));
    expect(last?.text).toContain("within its boundary (region eu-*), and 2 outside of it");
    expect(last?.text).toContain('2 × outside of the boundary: in region "us-east"');
  });
});

const missing = ["consul", "eureka", "bind"].filter((name) => !available(name as "consul"));
describe.skipIf(missing.length > 0)("Consul, Eureka and DNS at once", { timeout }, () => {
  const startAll = async () => {
    const registries = await Promise.all([realRegistries.consul(), realRegistries.eureka(), realRegistries.bind()]);
    for (const { server } of registries) cleanups.push(() => server.stop());
    return registries as [(typeof registries)[0], (typeof registries)[0], (typeof registries)[0]];
  };

  it("through a union: an instance that all list is called once, and each may fail without a failed call", async () => {
    const registries = await startAll();
    const [common, ...own] = [await instance("common"), await instance("consul"), await instance("eureka"), await instance("dns")];
    for (const [index, registry] of registries.entries())
      await registry.list([common, own[index] as typeof common].map(({ port }) => port));
    // SRV records have a priority, by which the others would go before DNS.
    const mesh = meshOf(union(...registries.map(({ discovery }) => located(discovery, { priority: 0 }))));
    await load(mesh, count(1));
    await until("all four are listed", () => mesh.explain("shop")?.endpoints.length === 4, 20_000);
    expect(textsOf(await load(mesh, count(200))).sort()).toEqual(["common", "consul", "dns", "eureka"]);
    for (const { server } of registries) {
      server.pause();
      const answers = textsOf(await load(mesh, count(100)));
      server.resume();
      expect(answers.filter((text) => text.startsWith("ERR_"))).toEqual([]);
      expect(mesh.explain("shop")?.endpoints).toHaveLength(4);
    }
  });

  it("through a fallback of a fallback: the next one is used as one fails", async () => {
    const registries = await startAll();
    const own = [await instance("consul"), await instance("eureka"), await instance("dns")];
    for (const [index, registry] of registries.entries()) await registry.list([(own[index] as (typeof own)[0]).port]);
    const [first, second, third] = registries.map(({ discovery }) => discovery) as [Discovery, Discovery, Discovery];
    const mesh = meshOf(fallback(first, fallback(second, third, { switchAfterMs: 100 }), { switchAfterMs: 100 }));
    expect(textsOf(await load(mesh, count(10)))).toEqual(["consul"]);
    await registries[0].server.stop();
    expect(textsOf(await load(mesh, isFrom("eureka"))).filter((text) => text.startsWith("ERR_"))).toEqual([]);
    await registries[1].server.stop();
    expect(textsOf(await load(mesh, isFrom("dns"))).filter((text) => text.startsWith("ERR_"))).toEqual([]);
  });
});
