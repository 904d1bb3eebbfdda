import { describe, expect, it } from "vitest";
import { roundRobin } from "../../src/balancer/pickers/round-robin.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { servePeer } from "../behaviour/http2-peer.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { closedPort, serve, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

describe("mesh.warm", () => {
  it("connects to every instance and sends nothing, and the first calls use those connections", async () => {
    const servers = [await serve(), await serve()];
    const mesh = meshOf({ users: servers.map(({ port }) => port) }, { picker: roundRobin() });
    expect(await mesh.warm("users")).toBe(2);
    await until("both have accepted", () => servers.every(({ accepted }) => accepted === 1));
    for (let index = 0; index < 4; index++) expect(await (await mesh.fetch("users/x")).text()).toBe("");
    expect(servers.map(({ accepted, begun }) => [accepted, begun.length])).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it("writes not a byte over HTTP/1.1, opens no stream over HTTP/2", async () => {
    const raw = await serveRaw(() => {});
    expect(await meshOf({ users: raw.port }).warm("users")).toBe(1);
    const peer = await servePeer(() => {});
    expect(await meshOf({ users: peer.port }, { protocol: "h2" }).warm("users")).toBe(1);
    await until("both have been reached", () => raw.sockets.length === 1 && peer.connections.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([raw.received, peer.connections[0]?.opened]).toEqual([[""], []]);
  });

  it("counts no call, asks no more of an instance that is busy, and makes no second connection", async () => {
    const server = await serveRaw(() => {});
    const mesh = meshOf({ users: server.port }, { connections: { max: 1 } });
    await mesh.warm("users");
    await mesh.warm("users");
    expect(mesh.explain("users")?.endpoints).toMatchObject([{ inFlight: 0, attempts: 0 }]);
    const call = rejectionOf(mesh.fetch("users/x", { mesh: { timeoutMs: 200 } }));
    await until("it has arrived", () => server.received[0] !== "");
    expect(await mesh.warm("users")).toBe(1);
    await call;
    expect(server.sockets).toHaveLength(1);
  });

  it("says how many it reached, and throws nothing for those it did not", async () => {
    const server = await serve();
    const mesh = meshOf({ users: [server.port, await closedPort()], gone: await closedPort() });
    expect([await mesh.warm("users"), await mesh.warm("gone"), await mesh.warm("unknown")]).toEqual([1, 0, 0]);
  });

  it("waits for discovery's first answer, not longer than a call would", async () => {
    const server = await serve();
    const discovery = {
      async *watch(service: string, signal: AbortSignal) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (service === "users") yield [{ id: "one", host: "127.0.0.1", port: server.port }];
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      },
    };
    const mesh = closing(createMesh({ discovery, discoveryTimeoutMs: 200 }));
    expect(await mesh.warm("users")).toBe(1);
    expect(await mesh.warm("silent")).toBe(0);
  });

  it("connects to as many instances as it may", async () => {
    const servers = await Promise.all(Array.from({ length: 5 }, () => serve()));
    const mesh = meshOf({ users: servers.map(({ port }) => port) });
    expect(await mesh.warm("users", { maxInstances: 0 })).toBe(0);
    expect(await mesh.warm("users", { maxInstances: 2 })).toBe(2);
    const accepted = () => servers.reduce((sum, server) => sum + server.accepted, 0);
    await until("they have accepted", () => accepted() === 2);
  });

  it("ends when the mesh is closed, and refuses a closed mesh, names that are none and wrong options", async () => {
    // It never answers the handshake.
    const server = await serveRaw(() => {});
    const discovery = staticDiscovery({ users: [{ host: "127.0.0.1", port: server.port, secure: true }] });
    const mesh = createMesh({ discovery, connections: { connectTimeoutMs: 60_000 } });
    const warming = mesh.warm("users");
    await until("it is connecting", () => server.sockets.length === 1);
    expect(await rejectionOf(mesh.warm("no name"))).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
    expect(await rejectionOf(mesh.warm("users", { maxInstances: -1 }))).toBeInstanceOf(RangeError);
    expect(await rejectionOf(mesh.warm("users", { instances: 1 } as never))).toBeInstanceOf(TypeError);
    await mesh.close();
    expect(await warming).toBe(0);
    expect(await rejectionOf(mesh.warm("users"))).toMatchObject({ code: "ERR_MESH_CLOSED" });
  });
});
