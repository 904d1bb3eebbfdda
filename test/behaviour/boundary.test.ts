import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { prequal } from "../../src/balancer/pickers/prequal.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { MeshError } from "../../src/core/errors.ts";
import { fallback } from "../../src/discovery/combined/fallback.ts";
import { union } from "../../src/discovery/combined/union.ts";
import type { Discovery } from "../../src/discovery/discovery.ts";
import type { ListedEndpoint } from "../../src/discovery/file/service-list.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { memoryRegistry } from "../../src/testing/memory-registry.ts";
import { type Door, doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";
import { closedPort, listening } from "../support/servers.ts";
import { settle, until } from "../support/until.ts";

/** An instance that counts the connections that are made to it: one is too many for an instance outside. */
async function instance(status = 200, delayMs = 0) {
  const seen = { port: 0, connections: 0, requests: 0 };
  const server = createServer((_request, response) => {
    seen.requests++;
    setTimeout(() => response.writeHead(status).end("here"), delayMs);
  });
  server.on("connection", () => seen.connections++);
  server.on("upgrade", (_request, socket: Socket) => {
    seen.requests++;
    socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
  });
  seen.port = await listening(server);
  return seen;
}

const at = (port: number, place: Partial<ListedEndpoint> = {}): ListedEndpoint => ({ host: "127.0.0.1", port, ...place });
const inEurope = { region: "eu-west-1" };
const inAmerica = { region: "us-east-1" };
const boundary = { region: ["eu-*"] };
const codeOf = (call: Promise<unknown>) => call.then(() => "answered").catch((error: unknown) => (error as MeshError).code);

/** Calls one door after the other often enough that any way out would be found. */
async function callOften(mesh: Parameters<Door>[0], times = 20): Promise<(string | undefined)[]> {
  const codes = [];
  for (let call = 0; call < times; call++) codes.push(await codeOf(mesh.fetch("svc/").then((response) => response.text())));
  return codes;
}

describe.each(Object.entries(doors))("a boundary, for %s", (_name, door) => {
  it("leaves the instances outside without a connection", async () => {
    const [inside, outside] = [await instance(), await instance()];
    const discovery = staticDiscovery({ svc: [at(outside.port, inAmerica), at(inside.port, inEurope)] });
    const mesh = closing(createMesh({ discovery, boundary }));
    for (let call = 0; call < 8; call++) await door(mesh);
    expect([inside.requests, outside.connections]).toEqual([8, 0]);
  });

  it("fails with ERR_MESH_NO_ENDPOINTS where nothing is inside, and says where the instances are", async () => {
    const outside = await instance();
    const listed = [at(outside.port, inAmerica), at(1, inAmerica), at(2)];
    const mesh = closing(createMesh({ discovery: staticDiscovery({ svc: listed }), boundary }));
    const error = (await door(mesh).catch((thrown: unknown) => thrown)) as MeshError;
    const found = [error, error.cause].find((each) => each instanceof MeshError) as MeshError;
    expect(found.code).toBe("ERR_MESH_NO_ENDPOINTS");
    expect(found.message).toMatch(/"svc" has no endpoints within its boundary \(region eu-\*\), and 3 outside of it: static/);
    expect(found.message).toContain(
      '2 × outside of the boundary: in region "us-east-1", 1 × outside of the boundary: its region is unknown',
    );
    expect(found.maybeExecuted).toBe(false);
    expect(outside.connections).toBe(0);
  });
});

describe("a boundary is not left", () => {
  it.each([
    ["retries", { retry: { maxAttempts: 5, baseDelayMs: 1 } }],
    ["failover between priorities", { breaker: { minCalls: 1 } }],
    ["panic and the last resort", { balancing: { priorities: { panicRatio: 1 } } }],
  ] as const)("by %s, when all instances inside fail", async (_way, options) => {
    const [inside, outside] = [await instance(503), await instance()];
    const dead = await closedPort();
    const far = [at(outside.port, { ...inAmerica, priority: 1 }), at(outside.port, { id: "lost", priority: 2 })];
    const discovery = staticDiscovery({ svc: [at(inside.port, inEurope), at(dead, inEurope), ...far] });
    const mesh = closing(createMesh({ discovery, boundary, ...(options as object) }));
    await callOften(mesh);
    expect(inside.requests).toBeGreaterThan(0);
    expect(outside.connections).toBe(0);
  });

  it("by a hedge", async () => {
    const [inside, outside] = [await instance(200, 40), await instance()];
    const discovery = staticDiscovery({ svc: [at(inside.port, inEurope), at(outside.port, inAmerica)] });
    const mesh = closing(createMesh({ discovery, boundary, hedge: { percentile: 0, maxExtraLoad: 1 } }));
    await callOften(mesh);
    expect(outside.connections).toBe(0);
  });

  it("by health checks, load probes and warming", async () => {
    const [inside, outside] = [await instance(), await instance()];
    const discovery = staticDiscovery({ svc: [at(inside.port, inEurope), at(outside.port, inAmerica)] });
    const healthCheck = { type: "http", path: "/health", intervalMs: 10 } as const;
    const mesh = closing(createMesh({ discovery, boundary, healthCheck, picker: prequal() }));
    await mesh.warm("svc");
    await callOften(mesh);
    await until("it was checked", () => (mesh.explain("svc")?.endpoints[0]?.healthCheck?.inRow ?? 0) >= 3);
    expect(mesh.explain("svc")?.endpoints).toHaveLength(1);
    expect(outside.connections).toBe(0);
  });

  it("by the registry of a fallback or a union", async () => {
    const outside = await instance();
    const down: Discovery = {
      // biome-ignore lint/correctness/useYield: it fails before it has anything.
      async *watch() {
        throw new Error("down");
      },
    };
    const far = staticDiscovery({ svc: [at(outside.port, inAmerica)] });
    for (const discovery of [fallback(down, far, { switchAfterMs: 0 }), union(down, far)]) {
      const mesh = closing(createMesh({ discovery, boundary }));
      expect(new Set(await callOften(mesh, 3))).toEqual(new Set(["ERR_MESH_NO_ENDPOINTS"]));
    }
    expect(outside.connections).toBe(0);
  });

  it("by last good endpoints, which are kept without those outside", async () => {
    const [inside, outside] = [await instance(), await instance()];
    const lastGoodDirectory = await mkdtemp(join(tmpdir(), "inmesh-boundary-"));
    onTestFinished(() => rm(lastGoodDirectory, { recursive: true }));
    const discovery = memoryRegistry();
    discovery.set("svc", [at(inside.port, inEurope), at(outside.port, inAmerica)]);
    const open = createMesh({ discovery, lastGoodDirectory });
    await callOften(open, 8);
    await open.close();
    const before = outside.connections;
    discovery.fail();
    const mesh = closing(createMesh({ discovery, lastGoodDirectory, boundary }));
    expect(new Set(await callOften(mesh, 8))).toEqual(new Set(["answered"]));
    expect(outside.connections).toBe(before);
  });

  it("when an instance has moved, from the registry's answer on and without confirmation", async () => {
    const far = await instance();
    const discovery = memoryRegistry();
    const registry: Discovery = { watch: discovery.watch, emptyPolicy: "quarantine" };
    discovery.set("svc", [at(far.port, inEurope)]);
    const mesh = closing(createMesh({ discovery: registry, boundary }));
    expect(await callOften(mesh, 2)).toEqual(["answered", "answered"]);
    discovery.set("svc", [at(far.port, inAmerica)]);
    await settle();
    const { requests } = far;
    expect(await callOften(mesh, 3)).toEqual(Array(3).fill("ERR_MESH_NO_ENDPOINTS"));
    expect(far.requests).toBe(requests);
  });

  it.each<Partial<Endpoint>>([
    { region: "EU-west-1" },
    { region: "eu-west-1 " },
    { region: "" },
    { metadata: { region: "us-1" }, zone: "eu-west-1a" },
    { metadata: { Region: "eu-west-1" } },
    { metadata: { __proto__: "x" } as unknown as Record<string, string> },
    { region: "xeu-west-1" },
    { region: "us-1\u2028eu-1" },
    { zone: "us-east-1a" },
    {},
  ])("to an instance of which discovery says %j", async (place) => {
    const outside = await instance();
    const mesh = closing(createMesh({ discovery: staticDiscovery({ svc: [at(outside.port, place)] }), boundary }));
    expect(await callOften(mesh, 2)).toEqual(["ERR_MESH_NO_ENDPOINTS", "ERR_MESH_NO_ENDPOINTS"]);
    expect(outside.connections).toBe(0);
  });

  it.each<Partial<Endpoint>>([
    { region: "eu-west-1" },
    { region: "eu-west-1", metadata: { region: "us-1" }, zone: "us-1a" },
    { metadata: { region: "eu-central-1" }, zone: "us-1a" },
    { zone: "eu-west-1a" },
    { zone: "eu-dc" },
  ])("and contains an instance of which discovery says %j", async (place) => {
    const inside = await instance();
    const mesh = closing(createMesh({ discovery: staticDiscovery({ svc: [at(inside.port, place)] }), boundary }));
    expect(await callOften(mesh, 2)).toEqual(["answered", "answered"]);
  });
});

describe("a boundary of one service", () => {
  it("holds in place of the mesh's, and false takes it away", async () => {
    const [here, there] = [await instance(), await instance()];
    const svc = [at(here.port, inEurope), at(there.port, inAmerica)];
    const options = { discovery: staticDiscovery({ svc, other: svc }), boundary };
    const american = closing(createMesh({ ...options, services: { svc: { boundary: { region: ["us-east-1"] } } } }));
    await callOften(american, 6);
    expect([here.requests, there.requests]).toEqual([0, 6]);
    const open = closing(createMesh({ ...options, services: { svc: { boundary: false } } }));
    await callOften(open, 12);
    expect(here.requests).toBeGreaterThan(0);
    expect(there.requests).toBeGreaterThan(6);
  });

  it("is shown by explain, with the reason for each endpoint outside", async () => {
    const inside = await instance();
    const listed = [at(inside.port, inEurope), at(7, { id: "far", ...inAmerica }), at(8, { id: "lost" })];
    const mesh = closing(createMesh({ discovery: staticDiscovery({ svc: listed }), boundary }));
    await callOften(mesh, 1);
    const explanation = mesh.explain("svc");
    expect(explanation?.outside.map(({ endpoint, region, reason }) => [endpoint.id, region, reason])).toEqual([
      ["far", "us-east-1", 'outside of the boundary: in region "us-east-1"'],
      ["lost", undefined, "outside of the boundary: its region is unknown"],
    ]);
    expect(explanation?.leftOut).toHaveLength(2);
    expect(String(explanation)).toMatch(/\nlost +127\.0\.0\.1:8 .*its region is unknown/);
  });
});
