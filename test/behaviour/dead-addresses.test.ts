import { createServer } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { deadAddresses } from "../support/dead-addresses.ts";
import { doorNames, doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";
import { listening } from "../support/servers.ts";
import { until } from "../support/until.ts";

const named = vi.hoisted(() => ({ addresses: [] as readonly string[] }));

vi.mock("node:dns", async (original) => {
  const dns = await original<typeof import("node:dns")>();
  const lookup = (host: string, options: object, callback: (error: null, found: object[]) => void) => {
    if (host !== "several.example") return dns.lookup(host, options, callback as never);
    process.nextTick(
      callback,
      null,
      named.addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  };
  return { ...dns, lookup, default: { ...dns, lookup } };
});

async function instance(): Promise<number> {
  const server = createServer((_request, response) => response.end("answered"));
  server.on("upgrade", (_request, socket) =>
    socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"),
  );
  return listening(server);
}

/** As many as Node's own attempts, of 250 ms each, need more than the limit for. */
const dead = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8", "127.0.0.9"];
const connectTimeoutMs = 2_000;

describe("a host of which the first addresses lead nowhere", () => {
  it.each(doorNames)("is reached within the time limit of a connection by %s", async (door) => {
    const port = await instance();
    await deadAddresses(port, dead);
    for (const count of [1, dead.length]) {
      named.addresses = [...dead.slice(0, count), "127.0.0.1"];
      const endpoint = { host: "several.example", port, zone: "a" };
      const options = { retry: false, zone: "a", connections: { connectTimeoutMs } } as const;
      const mesh = closing(createMesh({ discovery: staticDiscovery({ svc: [endpoint] }), drainTimeoutMs: 0, ...options }));
      const answer = await doors[door](mesh);
      expect([answer.status, answer.text]).toEqual(door === "upgrade" ? [101, ""] : [200, "answered"]);
      expect(mesh.explain("svc")?.endpoints[0]).toMatchObject({ failures: 0, state: "available" });
    }
  });

  it("passes its health checks, and can be connected to ahead", async () => {
    const port = await instance();
    const few = dead.slice(0, 2);
    await deadAddresses(port, few);
    named.addresses = [...few, "127.0.0.1"];
    const discovery = staticDiscovery({ svc: [{ host: "several.example", port }] });
    const healthCheck = { type: "http", path: "/", intervalMs: 60_000, timeoutMs: 10_000 } as const;
    const mesh = closing(createMesh({ discovery, drainTimeoutMs: 0, healthCheck, connections: { connectTimeoutMs } }));
    expect(await mesh.warm("svc")).toBe(1);
    await until("it was checked", () => mesh.explain("svc")?.endpoints[0]?.healthCheck?.passed === true);
  });

  it("is connected to once: the attempts that lose are ended", async () => {
    const accepted: boolean[] = [];
    const server = createServer((_request, response) => response.end("answered"));
    server.on("connection", () => accepted.push(true));
    const port = await listening(server);
    named.addresses = ["127.0.0.1", "127.0.0.1", "127.0.0.1"];
    const mesh = closing(createMesh({ discovery: staticDiscovery({ svc: [{ host: "several.example", port }] }), drainTimeoutMs: 0 }));
    await doors.fetch(mesh);
    expect(accepted).toHaveLength(1);
  });
});
