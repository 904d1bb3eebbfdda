import { describe, expect, it } from "vitest";
import type { Picker } from "../../../src/balancer/picker.ts";
import { roundRobin } from "../../../src/balancer/pickers/round-robin.ts";
import type { Interceptor } from "../../../src/core/dispatch.ts";
import type { MeshEvent } from "../../../src/core/observing/events.ts";
import type { MeshReading } from "../../../src/core/observing/reading.ts";
import { staticDiscovery } from "../../../src/discovery/file/static.ts";
import { meshOf } from "../../support/mesh.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { serve } from "../../support/servers.ts";
import { until } from "../../support/until.ts";

/** Answers each request when it is told to. */
async function slowServer() {
  const answers: (() => void)[] = [];
  const server = await serve((_request, response) => answers.push(() => response.end("ok")));
  return { ...server, answers, seen: server.seen };
}

/** The error of something that throws. */
function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not throw");
}

describe("mesh.reconfigure", () => {
  it("changes the options that are given, and leaves all others", async () => {
    const server = await serve((_request, response) => response.writeHead(503).end());
    const mesh = meshOf({ orders: server.port }, { retry: { maxAttempts: 2, baseDelayMs: 0 }, breaker: false });
    await mesh.fetch("orders/x");
    expect(mesh.reconfigure({ timeoutMs: 3_000 })).toEqual(["timeoutMs"]);
    await mesh.fetch("orders/x");
    expect(server.seen).toHaveLength(4);
    expect(mesh.reconfigure({ retry: { maxAttempts: 3, baseDelayMs: 0 } })).toEqual(["retry.maxAttempts"]);
    await mesh.fetch("orders/x");
    expect(server.seen).toHaveLength(7);
    expect(mesh.reconfigure({ retry: { maxAttempts: 3, baseDelayMs: 0 } })).toEqual([]);
    expect(mesh.reconfigure({ retry: undefined, services: { orders: { retry: false } } })).toEqual(["retry", "services.orders.retry"]);
    await mesh.fetch("orders/x");
    expect(server.seen).toHaveLength(8);
  });

  it("leaves calls in flight what they began by, those in an interceptor too", async () => {
    const server = await serve((_request, response) => response.writeHead(503).end());
    let goOn: () => void = () => {};
    const waits: Interceptor = (next) => async (request) => {
      if (request.path === "/waits") await new Promise<void>((resolve) => (goOn = resolve));
      return next(request);
    };
    const mesh = meshOf({ orders: server.port }, { interceptors: [waits], retry: { maxAttempts: 3, baseDelayMs: 0 }, breaker: false });
    await mesh.fetch("orders/first");
    expect(server.seen).toHaveLength(3);
    const call = mesh.fetch("orders/waits");
    mesh.reconfigure({ retry: false, interceptors: [] });
    goOn();
    await call;
    expect(server.seen).toHaveLength(6);
    await mesh.fetch("orders/waits");
    expect(server.seen).toHaveLength(7);
  });

  it("refuses wrong options and those of a new mesh as a whole, and says which", async () => {
    const server = await serve((_request, response) => response.writeHead(503).end());
    const events: MeshEvent[] = [];
    const mesh = meshOf(
      { orders: server.port },
      { retry: { maxAttempts: 2, baseDelayMs: 0 }, breaker: false, observers: [{ onEvent: (event) => void events.push(event) }] },
    );
    await mesh.fetch("orders/x");
    events.length = 0;
    const refusals = [
      [{ retry: false, timeoutMs: -1 }, "timeoutMs must be"],
      [{ retry: false, discovery: staticDiscovery({}) }, 'mesh.reconfigure: "discovery" cannot change while the mesh runs'],
      [{ retry: false, services: { orders: { protocol: "h2" } } }, '"services.orders.protocol" cannot change'],
      [{ retry: false, connections: { max: 3 } }, '"connections" cannot change'],
      [{ retry: false, retries: {} }, 'createMesh has no option "retries"'],
    ] as const;
    for (const [options, message] of refusals) expect(thrownBy(() => mesh.reconfigure(options as object)).message).toContain(message);
    await mesh.fetch("orders/x");
    expect(server.seen).toHaveLength(4);
    expect(events.filter(({ type }) => type === "configuration-refused")).toHaveLength(refusals.length);
    expect(events.filter(({ type }) => type === "configured")).toHaveLength(0);
  });

  it("changes nothing where code of the program fails while it is built", async () => {
    const server = await serve((_request, response) => response.writeHead(503).end());
    const mesh = meshOf({ orders: server.port, users: server.port }, { retry: { maxAttempts: 2, baseDelayMs: 0 }, breaker: false });
    await mesh.fetch("orders/x");
    await mesh.fetch("users/x");
    const fails = (): never => {
      throw new Error("cannot be made");
    };
    const picker: Picker = { pick: ([first]) => first, forService: (service) => (service === "users" ? fails() : picker) };
    for (const options of [
      { retry: false, picker },
      { retry: false, interceptors: [fails] },
      { retry: false, concurrency: { maxInFlight: { begin: fails } } },
      { retry: false, services: { users: { interceptors: [fails] } } },
    ] as const)
      expect(thrownBy(() => mesh.reconfigure(options)).message).toBe("cannot be made");
    server.seen.length = 0;
    await mesh.fetch("orders/x");
    await mesh.fetch("users/x");
    expect(server.seen).toHaveLength(4);
  });

  it("lets a service that is not watched yet have any options", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port }, {});
    expect(mesh.reconfigure({ services: { orders: { connections: { max: 1 } } } })).toEqual(["services.orders.connections"]);
    expect((await mesh.fetch("orders/x")).status).toBe(200);
  });

  it("tells observers of the options that differ, and a reading of the source", async () => {
    const events: MeshEvent[] = [];
    let reading: MeshReading | undefined;
    const observer = {
      onEvent: (event: MeshEvent) => void events.push(event),
      onOpen(mesh: MeshReading) {
        reading = mesh;
      },
    };
    const mesh = meshOf({ orders: 9 }, { observers: [observer] });
    expect(reading?.configuration?.()).toMatchObject({ source: "createMesh", restart: [], refusal: undefined });
    mesh.reconfigure({ timeoutMs: 5, services: { orders: { hedge: {} } } });
    expect(events).toEqual([
      { type: "configured", source: "mesh.reconfigure", changed: ["timeoutMs", "services.orders.hedge"], restart: [] },
    ]);
    thrownBy(() => mesh.reconfigure({ timeoutMs: 0 }));
    expect(reading?.configuration?.()).toMatchObject({
      source: "mesh.reconfigure",
      refusal: { error: expect.stringContaining("timeoutMs") },
    });
    mesh.reconfigure({ timeoutMs: 6 });
    expect(reading?.configuration?.().refusal).toBeUndefined();
    await mesh.close();
    expect(thrownBy(() => mesh.reconfigure({ timeoutMs: 7 }))).toMatchObject({ code: "ERR_MESH_CLOSED" });
  });

  it("holds for every door from the next call on", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port }, {});
    const dispatcher = mesh.dispatcher();
    await mesh.fetch("orders/x");
    mesh.reconfigure({ authorize: () => false, serviceNames: ["orders"] });
    const refused = { code: "ERR_MESH_FORBIDDEN" };
    expect(await rejectionOf(mesh.fetch("orders/x"))).toMatchObject(refused);
    expect(await rejectionOf(mesh.request("orders/x"))).toMatchObject(refused);
    const asked = { origin: "http://orders", path: "/", method: "GET" } as const;
    expect(await rejectionOf(dispatcher.request(asked))).toMatchObject(refused);
    expect(await rejectionOf(dispatcher.upgrade({ ...asked, protocol: "echo" }))).toMatchObject(refused);
    expect(String(await rejectionOf(mesh.fetch("users/x")))).toContain("is not in serviceNames");
  });
});

describe("a configuration that changes", () => {
  it("keeps places in queues, and lets as many go on as a higher limit has room for", async () => {
    const server = await slowServer();
    const mesh = meshOf({ orders: server.port }, { concurrency: { maxInFlight: 1, queueTimeoutMs: 20_000 } });
    const calls = Array.from({ length: 4 }, () => mesh.fetch("orders/x").then((response) => response.text()));
    await until("1 requests", () => server.answers.length === 1);
    mesh.reconfigure({ concurrency: { maxInFlight: 3, queueTimeoutMs: 20_000, maxQueued: 0 } });
    await until("3 requests", () => server.answers.length === 3);
    expect(await rejectionOf(mesh.fetch("orders/x"))).toMatchObject({ code: "ERR_MESH_OVERLOADED" });
    mesh.reconfigure({ concurrency: false });
    await until("4 requests", () => server.answers.length === 4);
    for (const answer of server.answers) answer();
    expect(await Promise.all(calls)).toEqual(["ok", "ok", "ok", "ok"]);
  });

  it("keeps places in the queue of full instances, whether the limit rises, goes or comes", async () => {
    const server = await slowServer();
    const mesh = meshOf({ orders: server.port }, {});
    const call = () => mesh.fetch("orders/x").then((response) => response.text());
    const calls = [call(), call()];
    await until("2 requests", () => server.answers.length === 2);
    // The limit comes while two are in flight that it has not counted: the one that waits goes on when they end.
    mesh.reconfigure({ concurrency: { maxInFlightPerInstance: 1, queueTimeoutMs: 20_000 } });
    calls.push(call(), call(), call());
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.answers).toHaveLength(2);
    server.answers[0]?.();
    server.answers[1]?.();
    await until("3 requests", () => server.answers.length === 3);
    mesh.reconfigure({ concurrency: { maxInFlightPerInstance: 2, queueTimeoutMs: 20_000 } });
    await until("4 requests", () => server.answers.length === 4);
    mesh.reconfigure({ concurrency: false });
    await until("5 requests", () => server.answers.length === 5);
    for (const answer of server.answers.slice(2)) answer();
    expect(await Promise.all(calls)).toEqual(["ok", "ok", "ok", "ok", "ok"]);
  });

  it("keeps the statistics of instances, and which of them are out", async () => {
    const [good, bad] = await Promise.all([serve(), serve((_request, response) => response.writeHead(503).end())]);
    const mesh = meshOf(
      { orders: [good.port, bad.port] },
      { picker: roundRobin(), breaker: { consecutiveFailures: 2, breakMs: 60_000 }, ejection: false },
    );
    for (let call = 0; call < 20; call++) await mesh.fetch("orders/x");
    const before = mesh.explain("orders")?.endpoints.map(({ state, attempts, failures }) => ({ state, attempts, failures }));
    expect(before?.map(({ state }) => state)).toContain("ejected");
    mesh.reconfigure({ breaker: { consecutiveFailures: 9, breakMs: 60_000 }, retry: { maxAttempts: 4 }, ejection: {} });
    expect(mesh.explain("orders")?.endpoints.map(({ state, attempts, failures }) => ({ state, attempts, failures }))).toEqual(before);
    // Nothing judges any more: an instance that was out by its attempts must not stay out for ever.
    mesh.reconfigure({ breaker: false });
    expect(mesh.explain("orders")?.endpoints.map(({ state }) => state)).toEqual(["available", "available"]);
  });

  it("keeps the state of the breaker of the service, whose thresholds change", async () => {
    const server = await serve((_request, response) => response.writeHead(503).end());
    const mesh = meshOf(
      { orders: server.port },
      { retry: false, ejection: false, breaker: { minCalls: 1_000, consecutiveFailures: 1_000 } },
    );
    for (let call = 0; call < 9; call++) await mesh.fetch("orders/x");
    mesh.reconfigure({ breaker: { minCalls: 10, failureRatio: 0.5, consecutiveFailures: 1_000 } });
    await mesh.fetch("orders/x").catch(() => {});
    await mesh.fetch("orders/x").catch(() => {});
    expect(mesh.explain("orders")?.breaker).toBe("open");
    mesh.reconfigure({ breaker: { minCalls: 1_000, consecutiveFailures: 1_000 }, timeoutMs: 4_000 });
    expect(mesh.explain("orders")?.breaker).toBe("open");
    mesh.reconfigure({ breaker: false });
    expect(mesh.explain("orders")?.breaker).toBe("closed");
    expect((await mesh.fetch("orders/x")).status).toBe(503);
  });

  it("picks by another picker, which is told of the instances first", async () => {
    const servers = await Promise.all([serve(), serve()]);
    const mesh = meshOf({ orders: servers.map(({ port }) => port) }, {});
    await mesh.fetch("orders/x");
    const told: number[] = [];
    const last: Picker = { pick: (upstreams) => upstreams.at(-1), update: (upstreams) => void told.push(upstreams.length) };
    mesh.reconfigure({ picker: last });
    for (const server of servers) server.seen.length = 0;
    for (let call = 0; call < 6; call++) await mesh.fetch("orders/x");
    expect([servers[0]?.seen.length, servers[1]?.seen.length, told]).toEqual([0, 6, [2]]);
    // The same picker again is no change.
    expect(mesh.reconfigure({ picker: last })).toEqual([]);
  });

  it("has the options of services that are called later", async () => {
    const server = await serve((_request, response) => response.writeHead(503).end());
    const mesh = meshOf({ orders: server.port, users: server.port }, { retry: false });
    await mesh.fetch("orders/x");
    mesh.reconfigure({ services: { users: { retry: { maxAttempts: 3, baseDelayMs: 0 } } } });
    await mesh.fetch("users/x");
    expect(server.seen).toHaveLength(4);
  });
});
