import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { roundRobin } from "../../src/balancer/pickers/round-robin.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { until } from "../support/until.ts";

interface Instance {
  readonly port: number;
  /** Requests, without the health checks. */
  calls: number;
  /** What it answers to them, and to the checks; `undefined`: nothing. */
  status: number;
  health: number | undefined;
  readonly connections: Set<Socket>;
}

/** An instance on the loopback that ends with the test. */
async function instance(): Promise<Instance> {
  const state: Instance = { port: 0, calls: 0, status: 200, health: 200, connections: new Set() };
  const answer: RequestListener = (request, response) => {
    if (request.url !== "/health") state.calls++;
    const status = request.url === "/health" ? state.health : state.status;
    if (status === undefined) return;
    response.statusCode = status;
    response.end();
  };
  const server = createServer(answer);
  server.on("connection", (socket: Socket) => {
    state.connections.add(socket);
    socket.once("close", () => state.connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  return Object.assign(state, { port: (server.address() as AddressInfo).port });
}

async function instances(count: number): Promise<readonly Instance[]> {
  return Promise.all(Array.from({ length: count }, () => instance()));
}

function meshOf(list: readonly Instance[], options: Partial<MeshOptions>): Mesh {
  const orders = list.map(({ port }, index) => ({ host: "127.0.0.1", port, id: `i${index}` }));
  const mesh = createMesh({ discovery: staticDiscovery({ orders }), picker: roundRobin(), drainTimeoutMs: 0, observers: [], ...options });
  onTestFinished(() => mesh.close());
  return mesh;
}

/** So many calls, a few at a time. Returns their statuses. */
async function calls(mesh: Mesh, count: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  const one = async () => {
    const response = await mesh.fetch("orders/x");
    await response.text();
    statuses.push(response.status);
  };
  for (let done = 0; done < count; done += 10) await Promise.all(Array.from({ length: Math.min(10, count - done) }, one));
  return statuses;
}

const states = (mesh: Mesh) => mesh.explain("orders")?.endpoints.map(({ state }) => state);

describe("outlier ejection", () => {
  it("takes out the one of five that answers nothing but 500, and brings it back after it has healed", async () => {
    const list = await instances(5);
    const bad = list[2] as Instance;
    const events: string[] = [];
    const mesh = meshOf(list, {
      ejection: { intervalMs: 150, baseEjectionMs: 400, failurePercentage: { minCalls: 10 } },
      observers: [
        {
          onEvent: (event) => void (event.type === "instance-state" && events.push(`${event.upstream.id} ${event.state}`)),
        },
      ],
    });
    bad.status = 500;
    await until("it is ejected", async () => {
      await calls(mesh, 20);
      return states(mesh)?.[2] === "ejected";
    });
    expect(states(mesh)).toEqual(["available", "available", "ejected", "available", "available"]);
    const before = bad.calls;
    expect(new Set(await calls(mesh, 100))).toEqual(new Set([200]));
    expect(bad.calls - before, "nobody, or the one probe").toBeLessThanOrEqual(1);
    // Still bad when it is probed: out again.
    await until("a probe has failed", async () => {
      await calls(mesh, 5);
      return events.filter((event) => event === "i2 ejected").length >= 2;
    });
    bad.status = 200;
    await until("it is back", async () => {
      await calls(mesh, 5);
      return states(mesh)?.[2] === "available";
    });
    const healed = bad.calls;
    await calls(mesh, 50);
    expect(bad.calls - healed).toBeGreaterThanOrEqual(5);
    expect(events.filter((event) => !event.startsWith("i2 "))).toEqual([]);
    expect(events.slice(0, 3)).toEqual(["i2 ejected", "i2 probing", "i2 ejected"]);
    expect(events.at(-1)).toBe("i2 available");
  });

  it("leaves a service alone where every instance answers 500: nobody would do better", async () => {
    const list = await instances(4);
    for (const each of list) each.status = 500;
    const mesh = meshOf(list, {
      ejection: { intervalMs: 50, failurePercentage: { minCalls: 5 }, successRate: { minCalls: 5, minInstances: 2 } },
    });
    for (let round = 0; round < 10; round++) await calls(mesh, 40);
    expect(states(mesh)).toEqual(["available", "available", "available", "available"]);
  });
});

describe("active health checks", () => {
  const healthCheck = {
    type: "http",
    path: "/health",
    intervalMs: 50,
    timeoutMs: 200,
    unhealthyThreshold: 2,
    healthyThreshold: 2,
  } as const;

  it("take out an instance that accepts and answers calls but 503 at /health, and bring it back", async () => {
    const list = await instances(3);
    const bad = list[0] as Instance;
    const mesh = meshOf(list, { healthCheck });
    await calls(mesh, 30);
    expect(list.map((each) => each.calls)).toEqual([10, 10, 10]);
    bad.health = 503;
    await until("it is out", () => states(mesh)?.[0] === "unhealthy");
    await calls(mesh, 60);
    expect(list.map((each) => each.calls)).toEqual([10, 40, 40]);
    expect(mesh.explain("orders")?.endpoints.map(({ candidate }) => candidate)).toEqual([false, true, true]);
    bad.health = 200;
    await until("it is back", () => states(mesh)?.[0] === "available");
    await calls(mesh, 30);
    expect(bad.calls).toBeGreaterThanOrEqual(15);
  });

  it("take out one that does not answer them, and all of them leave a service that is called all the same", async () => {
    const list = await instances(2);
    for (const each of list) each.health = undefined;
    const mesh = meshOf(list, { healthCheck });
    await calls(mesh, 1);
    await until("both are out", () => states(mesh)?.every((state) => state === "unhealthy") ?? false);
    expect(await calls(mesh, 10)).toEqual(Array(10).fill(200));
    expect(states(mesh), "a good answer in panic is no check that passes").toEqual(["unhealthy", "unhealthy"]);
  });

  it("work where the breakers are switched off, which judge no call then", async () => {
    const list = await instances(3);
    const [bad, failing] = list as [Instance, Instance, Instance];
    bad.health = 500;
    failing.status = 503;
    const mesh = meshOf(list, { healthCheck, breaker: false, retry: false });
    await calls(mesh, 1);
    await until("it is out", () => states(mesh)?.[0] === "unhealthy");
    const before = failing.calls;
    expect((await calls(mesh, 60)).filter((status) => status === 503)).toHaveLength(30);
    expect([failing.calls - before, states(mesh)]).toEqual([30, ["unhealthy", "available", "available"]]);
  });

  it("follow a subset: who joins it in the place of those that are out is checked too", async () => {
    const list = await instances(6);
    const mesh = meshOf(list, { healthCheck, balancing: { subset: { size: 2, seed: 1 } } });
    await calls(mesh, 20);
    const members = list.filter((each) => each.calls > 0);
    expect(members).toHaveLength(2);
    for (const each of list) each.health = 503;
    await until("all have been found out, two after the other", () => states(mesh)?.every((state) => state === "unhealthy") ?? false);
    for (const each of list) each.health = 200;
    await until("nobody is held", () => states(mesh)?.every((state) => state === "available") ?? false);
  });

  it("end with the mesh, also while one hangs: no connection is left", async () => {
    const list = await instances(3);
    const mesh = meshOf(list, { healthCheck: { ...healthCheck, timeoutMs: 60_000 } });
    await calls(mesh, 3);
    for (const each of list) each.health = undefined;
    await until("all checks hang", () => list.every(({ connections }) => connections.size >= 2));
    await mesh.close();
    await until("no connection is left", () => list.every(({ connections }) => connections.size === 0));
  });

  it("end for an instance that discovery no longer lists", async () => {
    const [kept, gone] = (await instances(2)) as [Instance, Instance];
    let tell: (() => void) | undefined;
    const mesh = createMesh({
      discovery: {
        async *watch(_service, signal) {
          const endpoint = ({ port }: Instance) => ({ id: `${port}`, host: "127.0.0.1", port });
          yield [kept, gone].map(endpoint);
          await new Promise<void>((resolve) => {
            tell = resolve;
          });
          yield [endpoint(kept)];
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        },
      },
      healthCheck: { ...healthCheck, timeoutMs: 60_000 },
      drainTimeoutMs: 0,
      observers: [],
    });
    onTestFinished(() => mesh.close());
    await calls(mesh, 2);
    gone.health = undefined;
    await until("its check hangs", () => gone.connections.size >= 2);
    tell?.();
    await until("its connections are gone", () => gone.connections.size === 0);
    expect(mesh.explain("orders")?.endpoints).toHaveLength(1);
  });
});

it("refuses options that are wrong when the mesh is made, for one service too", () => {
  const discovery = staticDiscovery({});
  expect(() => createMesh({ discovery, ejection: { intervalMs: -1 } })).toThrow("ejection.intervalMs must be from 1");
  expect(() => createMesh({ discovery, services: { a: { ejection: true as never } } })).toThrow("services.a.ejection must be an object");
  expect(() => createMesh({ discovery, healthCheck: { type: "http" } as never })).toThrow("healthCheck.path must be a path");
  expect(() => createMesh({ discovery, services: { a: { healthCheck: { type: "tcp", jitter: 2 } } } })).toThrow(
    "services.a.healthCheck.jitter",
  );
});
