import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createMesh, type MeshOptions, staticDiscovery } from "../../src/index.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serverAt(host: string, answer: (path: string) => { status: number; location?: string }) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? "");
    const { status, location } = answer(request.url ?? "");
    response.writeHead(status, location === undefined ? {} : { location }).end("ok");
  }).listen(0, host);
  await once(server, "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

function meshOf(services: Readonly<Record<string, readonly { host: string; port: number }[]>>, options: Partial<MeshOptions>) {
  const mesh = createMesh({ discovery: staticDiscovery(services), retry: false, ...options });
  cleanups.push(() => mesh.close());
  return mesh;
}

describe("addresses and ports that a poisoned registry gives", () => {
  it("are not connected to outside of connections.allowCidrs: the error says which service, address and option", async () => {
    const victim = await serverAt("127.0.0.2", () => ({ status: 200 }));
    const mesh = meshOf({ orders: [{ host: "127.0.0.2", port: victim.port }] }, { connections: { allowCidrs: ["127.0.0.1"] } });
    const error = await mesh.fetch("orders/").catch((reason: Error) => reason);
    expect(error).toMatchObject({ code: "ERR_MESH_CONNECT", service: "orders", maybeExecuted: false });
    expect(String(error)).toContain("orders");
    expect(String(error)).toContain("127.0.0.2 is in none of the networks that are connected to (connections.allowCidrs)");
    expect(victim.seen).toEqual([]);
  });

  it("are not connected to at a port of connections.denyPorts", async () => {
    const victim = await serverAt("127.0.0.1", () => ({ status: 200 }));
    const mesh = meshOf({ orders: [{ host: "127.0.0.1", port: victim.port }] }, { connections: { denyPorts: [victim.port] } });
    await expect(mesh.fetch("orders/")).rejects.toThrow(
      `127.0.0.1:${victim.port} has a port that is not connected to (connections.denyPorts)`,
    );
    expect(victim.seen).toEqual([]);
  });

  it("are not reached by a redirect, from an instance that is allowed to another service, nor to an address", async () => {
    const victim = await serverAt("127.0.0.2", () => ({ status: 200 }));
    const locations = ["http://internal/secret", `http://127.0.0.2:${victim.port}/secret`, `//127.0.0.2:${victim.port}/secret`];
    const good = await serverAt("127.0.0.1", (path) => ({ status: 302, location: locations[Number(path.slice(1))] ?? "" }));
    const mesh = meshOf(
      { orders: [{ host: "127.0.0.1", port: good.port }], internal: [{ host: "127.0.0.2", port: victim.port }] },
      { connections: { allowCidrs: ["127.0.0.1"] } },
    );
    // A redirect to another host is handed back; a caller that follows it asks the mesh, by the same rules.
    for (const index of locations.keys()) expect((await mesh.fetch(`orders/${index}`)).status).toBe(302);
    await expect(mesh.fetch("internal/secret")).rejects.toThrow("connections.allowCidrs");
    await expect(mesh.fetch(`http://127.0.0.2:${victim.port}/secret`)).rejects.toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
    expect(good.seen).toEqual(["/0", "/1", "/2"]);
    expect(victim.seen).toEqual([]);
  });

  it("cost no call where another instance is allowed", async () => {
    const [victim, good] = [await serverAt("127.0.0.2", () => ({ status: 200 })), await serverAt("127.0.0.1", () => ({ status: 200 }))];
    const instances = [
      { host: "127.0.0.2", port: victim.port },
      { host: "127.0.0.1", port: good.port },
    ];
    const mesh = meshOf({ orders: instances }, { retry: {}, connections: { allowCidrs: ["127.0.0.1/32"] } });
    for (let call = 0; call < 10; call++) expect((await mesh.fetch("orders/")).status).toBe(200);
    expect([victim.seen.length, good.seen.length]).toEqual([0, 10]);
  });

  it("are those of a service, where that has options of its own", async () => {
    const server = await serverAt("127.0.0.2", () => ({ status: 200 }));
    const endpoints = [{ host: "127.0.0.2", port: server.port }];
    const mesh = meshOf(
      { orders: endpoints, stock: endpoints },
      { connections: { allowCidrs: ["127.0.0.1"] }, services: { stock: { connections: { allowCidrs: ["127.0.0.2"] } } } },
    );
    await expect(mesh.fetch("orders/")).rejects.toThrow("connections.allowCidrs");
    expect((await mesh.fetch("stock/")).status).toBe(200);
  });

  it.each([
    [{ allowCidrs: [] }, "connections.allowCidrs must be an array of networks"],
    [{ allowCidrs: "10.0.0.0/8" }, "connections.allowCidrs must be an array of networks"],
    [
      { allowCidrs: ["10.0.0.0/8/9"] },
      'connections.allowCidrs must be addresses and networks such as "10.0.0.0/8" and "fd00::/8", not "10.0.0.0/8/9"',
    ],
    [{ allowCidrs: ["10.0.0.0/33"] }, 'not "10.0.0.0/33"'],
    [{ allowCidrs: ["10.0.0.0/08"] }, 'not "10.0.0.0/08"'],
    [{ allowCidrs: ["fe80::1%eth0/64"] }, 'not "fe80::1%eth0/64"'],
    [{ allowCidrs: ["example.org"] }, 'not "example.org"'],
    [{ denyPorts: [0] }, "connections.denyPorts must be an array of ports from 1 to 65535"],
    [{ denyPorts: [65_536] }, "connections.denyPorts must be an array of ports"],
    [{ denyPorts: ["22"] }, "connections.denyPorts must be an array of ports"],
  ])("have options that are refused where they are wrong: %j", (connections, message) => {
    expect(() => createMesh({ discovery: staticDiscovery({}), connections } as MeshOptions)).toThrow(message);
  });
});
