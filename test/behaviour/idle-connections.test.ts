import { type Agent, createServer, get, type Server } from "node:http";
import type { Socket } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { memoryRegistry } from "../../src/testing/memory-registry.ts";
import { closing } from "../support/mesh.ts";
import { listening } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** An instance that keeps idle connections for more than a minute, as Fastify does, and says so. */
async function instance() {
  const sockets: Socket[] = [];
  const held: (() => void)[] = [];
  const server: Server = createServer((request, response) => {
    if (request.url === "/held") held.push(() => void response.end("late"));
    else response.end("ok");
  });
  server.keepAliveTimeout = 72_000;
  server.on("connection", (socket) => sockets.push(socket));
  const port = await listening(server);
  const open = () => sockets.filter(({ destroyed }) => !destroyed).length;
  return { port, server, sockets, open, held };
}

/** Two doors that keep connections: a pool, and an agent. */
type Keeper = (mesh: Mesh, path?: string) => Promise<string>;

const agents = new WeakMap<Mesh, Agent>();
function agentOf(mesh: Mesh): Agent {
  const agent = agents.get(mesh) ?? mesh.agent();
  if (!agents.has(mesh)) onTestFinished(() => agent.destroy());
  agents.set(mesh, agent);
  return agent;
}

const keepers: Readonly<Record<string, Keeper>> = {
  fetch: async (mesh, path = "/") => (await mesh.fetch(`svc${path}`)).text(),
  agent: (mesh, path = "/") =>
    new Promise((resolve, reject) => {
      get(`http://svc${path}`, { agent: agentOf(mesh) }, (response) => void textOf(response).then(resolve, reject)).on("error", reject);
    }),
};

async function meshTo(ports: readonly number[], options: Partial<MeshOptions> = {}) {
  const registry = memoryRegistry();
  registry.set(
    "svc",
    ports.map((port, index) => ({ id: String(index), host: "127.0.0.1", port })),
  );
  const mesh = closing(createMesh({ discovery: registry, drainTimeoutMs: 0, ...options }));
  return { mesh, registry };
}

describe.each(Object.keys(keepers))("idle connections of %s", (name) => {
  const send = keepers[name] as Keeper;

  it("are used again, and close after connections.maxIdleMs, however long the instance would keep them", async () => {
    const { port, sockets, open } = await instance();
    const { mesh } = await meshTo([port], { connections: { max: 1, maxIdleMs: 100 } });
    for (let count = 0; count < 3; count++) await send(mesh);
    expect(sockets).toHaveLength(1);
    await until("it is closed", () => open() === 0);
  });

  it("close when an operator, a rule or discovery takes the instance out, so that it can end at once", async () => {
    for (const leave of ["eject", "remove"] as const) {
      const [one, other] = [await instance(), await instance()];
      const { mesh, registry } = await meshTo([one.port, other.port], { connections: { max: 1, maxIdleMs: 600_000 } });
      for (let count = 0; count < 8; count++) await send(mesh);
      expect([one.open(), other.open()]).toEqual([1, 1]);
      if (leave === "eject") mesh.eject("svc", "0", { forMs: 60_000 });
      else registry.remove("svc", "0");
      await until("its connection is closed", () => one.open() === 0);
      expect(other.open()).toBe(1);
    }
  });

  it("close after the request that was on them when the instance left", async () => {
    const [one, other] = [await instance(), await instance()];
    const { mesh } = await meshTo([one.port, other.port], { connections: { max: 1, maxIdleMs: 600_000 } });
    const calls = [send(mesh, "/held"), send(mesh, "/held")];
    await until("both hold one", () => one.held.length === 1 && other.held.length === 1);
    mesh.eject("svc", "0", { forMs: 60_000 });
    for (const release of [...one.held, ...other.held]) release();
    expect(await Promise.all(calls)).toEqual(["late", "late"]);
    await until("it is closed", () => one.open() === 0);
    expect(other.open()).toBe(1);
  });

  it("take no request once they are older than connections.maxAgeMs", async () => {
    const { port, sockets, held, open } = await instance();
    const { mesh } = await meshTo([port], { connections: { max: 1, maxAgeMs: 20 } });
    const call = send(mesh, "/held");
    await until("it is held", () => held.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    held[0]?.();
    await call;
    await until("it is closed", () => open() === 0);
    await send(mesh);
    expect(sockets).toHaveLength(2);
  });

  it("close with the mesh", async () => {
    const { port, open } = await instance();
    const { mesh } = await meshTo([port], { connections: { max: 1, maxIdleMs: 600_000 } });
    await send(mesh);
    await mesh.close();
    await until("it is closed", () => open() === 0);
  });
});
