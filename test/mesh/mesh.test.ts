import { get } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { roundRobin } from "../../src/balancer/pickers/round-robin.ts";
import { localResponse } from "../../src/core/buffered-body.ts";
import type { Interceptor } from "../../src/core/dispatch.ts";
import type { MeshError } from "../../src/core/errors.ts";
import type { Discovery } from "../../src/discovery/discovery.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import type { ServiceOptions } from "../../src/mesh/service-options.ts";
import type { Registrar } from "../../src/registration/registrar.ts";
import { memoryRegistry } from "../../src/testing/memory-registry.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

describe("mesh.fetch", () => {
  it("can be taken out of the mesh, as the global one", async () => {
    const server = await serve((_request, response) => response.end("ok"));
    const { fetch } = meshOf({ orders: server.port });
    expect(await (await fetch("orders/x")).text()).toBe("ok");
  });

  it("spreads calls over the instances", async () => {
    const servers = await Promise.all([serve(), serve(), serve()]);
    const mesh = meshOf({ orders: servers.map(({ port }) => port) }, { picker: roundRobin() });
    for (let call = 0; call < 9; call++) await mesh.fetch("orders/x");
    expect(servers.map(({ seen }) => seen.length)).toEqual([3, 3, 3]);
  });

  it("uses the options of a service in place of the mesh's", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/slow") return;
      response.writeHead(503).end();
    });
    const mesh = meshOf(
      { orders: server.port, users: server.port },
      {
        attemptTimeoutMs: 60,
        retry: false,
        breaker: false,
        services: { orders: { retry: { maxAttempts: 4, baseDelayMs: 0 }, attemptTimeoutMs: 30 } },
      },
    );
    await mesh.fetch("users/a");
    expect(server.seen).toHaveLength(1);
    await mesh.fetch("orders/a");
    expect(server.seen).toHaveLength(5);
    expect((await rejectionOf(mesh.fetch("users/slow"))) as Error).toHaveProperty("message", expect.stringContaining("within 60 ms"));
    expect(((await rejectionOf(mesh.fetch("orders/slow"))) as MeshError).cause).toHaveProperty(
      "message",
      expect.stringContaining("within 30 ms"),
    );
  });
});

describe("an option of a service that is undefined", () => {
  it("leaves the mesh's", async () => {
    const server = await serve((_request, response) => response.writeHead(503).end());
    const own = { retry: undefined } as unknown as ServiceOptions;
    const mesh = meshOf({ orders: server.port }, { retry: false, services: { orders: own } });
    await mesh.fetch("orders/x");
    expect(server.seen).toHaveLength(1);
  });
});

describe("interceptors", () => {
  it("run once a call, the first outermost, around every attempt", async () => {
    const bad = await serve((_request, response) => response.writeHead(503).end());
    const order: string[] = [];
    const named =
      (name: string): Interceptor =>
      (next) =>
      async (request) => {
        order.push(`${name} in`);
        const response = await next({ ...request, headers: { ...request.headers, [`x-${name}`]: "1" } });
        order.push(`${name} out ${response.status}`);
        return response;
      };
    const mesh = meshOf({ orders: bad.port }, { interceptors: [named("a"), named("b")], retry: { baseDelayMs: 0 } });
    await mesh.fetch("orders/x");
    expect(order).toEqual(["a in", "b in", "b out 503", "a out 503"]);
    expect(bad.seen).toHaveLength(3);
    expect(bad.seen[2]?.headers).toMatchObject({ "x-a": "1", "x-b": "1" });
  });

  it("of a service run inside those of the mesh", async () => {
    const server = await serve();
    const order: string[] = [];
    const named =
      (name: string): Interceptor =>
      (next) =>
      (request) => {
        order.push(`${request.service}: ${name}`);
        return next(request);
      };
    const mesh = meshOf(
      { orders: server.port, users: server.port },
      { interceptors: [named("mesh")], services: { orders: { interceptors: [named("own")] } } },
    );
    await mesh.fetch("orders/x");
    await mesh.fetch("users/x");
    expect(order).toEqual(["orders: mesh", "orders: own", "users: mesh"]);
  });

  it("that outlast the deadline make neither the service nor an instance look bad", async () => {
    const server = await serve();
    let pauseMs = 50;
    const slow: Interceptor = (next) => async (request) => {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      return next(request);
    };
    const mesh = meshOf({ orders: server.port }, { timeoutMs: 20, throttle: {}, interceptors: [slow], random: () => 0 });
    await mesh.warm("orders");
    for (let call = 0; call < 6; call++) expect(await rejectionOf(mesh.fetch("orders/x"))).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    expect(mesh.explain("orders")?.endpoints).toMatchObject([{ state: "available", attempts: 0, failures: 0 }]);
    pauseMs = 0;
    expect((await mesh.fetch("orders/x", { mesh: { timeoutMs: 5_000 } })).status).toBe(200);
  });

  it("may answer by themselves", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port }, { interceptors: [() => async () => localResponse(418, "short", { "x-a": "1" })] });
    const response = await mesh.fetch("orders/x");
    expect([response.status, await response.text(), response.headers.get("x-a")]).toEqual([418, "short", "1"]);
    expect(server.begun).toEqual([]);
    // No service was chosen yet.
    expect(mesh.explain("orders")).toBeUndefined();
  });

  it.each([
    ["rejects", async () => Promise.reject(new Error("mine"))],
    [
      "throws at once",
      () => {
        throw new Error("mine");
      },
    ],
  ])("that %s makes the call reject with just that, and leaves nothing behind", async (_how, fail) => {
    const ends: unknown[] = [];
    const mesh = meshOf(
      { orders: 1 },
      { drainTimeoutMs: 60_000, interceptors: [() => fail as never], observers: [{ onCall: () => ({ onEnd: (end) => ends.push(end) }) }] },
    );
    expect(await rejectionOf(mesh.fetch("orders/x"))).toMatchObject({ message: "mine" });
    expect(ends).toMatchObject([{ status: undefined, error: { message: "mine" }, cancelled: false, attempts: 0 }]);
    // Nothing is in flight: closing does not wait out the drain time, which is longer than the test's.
    await mesh.close();
  });
});

describe("a service without endpoints", () => {
  it("is named with what is asked and the name that was probably meant", async () => {
    const mesh = meshOf({ orders: 1, users: 2 });
    const error = (await rejectionOf(mesh.fetch("order/x"))) as MeshError;
    expect(error).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS", service: "order", maybeExecuted: false, attempts: [] });
    expect(error.message).toMatch(/^"order" has no endpoints: static list listed none \d+ ms ago\. Did you mean "orders"\?$/);
    expect(((await rejectionOf(mesh.fetch("payments/x"))) as Error).message).not.toContain("Did you mean");
  });

  it("asks for the catalogue once in a while, however many calls fail", async () => {
    let asked = 0;
    const discovery: Discovery = {
      emptyPolicy: "trust",
      async *watch() {
        yield [];
      },
      async services() {
        asked++;
        return ["orders", 5 as never, "users"];
      },
    };
    const mesh = closing(createMesh({ discovery }));
    const errors = await Promise.all(Array.from({ length: 50 }, (_, index) => rejectionOf(mesh.fetch(`order${index % 5}/x`))));
    expect(errors.every((error) => (error as Error).message.includes('Did you mean "orders"?'))).toBe(true);
    await rejectionOf(mesh.fetch("order0/x"));
    expect(asked).toBe(1);
  });

  it("is told without the hint when the catalogue fails, hangs or is nonsense", async () => {
    for (const services of [
      async () => Promise.reject(new Error("no")),
      () => new Promise<never>(() => {}),
      async () => "nonsense" as never,
      () => {
        throw new Error("sync");
      },
    ]) {
      const mesh = closing(
        createMesh({
          discovery: {
            emptyPolicy: "trust",
            async *watch() {
              yield [];
            },
            services,
          },
        }),
      );
      expect(await rejectionOf(mesh.fetch("order/x"))).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
    }
  });

  it("because the registry is down fails within discoveryTimeoutMs, later calls at once, and works by itself when it comes up", async () => {
    const server = await serve();
    const registry = memoryRegistry();
    registry.set("orders", [{ host: "127.0.0.1", port: server.port }]);
    registry.fail(new Error("no leader"));
    const mesh = closing(createMesh({ discovery: registry, discoveryTimeoutMs: 150, random: () => 0.01 }));
    const first = (await rejectionOf(mesh.fetch("orders/x"))) as MeshError;
    expect(first).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS", maybeExecuted: false, cause: { message: "no leader" } });
    expect(first.message).toMatch(/^"orders" has no endpoints: asked memory registry \d+ ms ago, no leader$/);
    expect(mesh.explain("orders")).toMatchObject({ discoveryError: "no leader", ageMs: undefined });
    for (let call = 0; call < 5; call++) {
      const isLate = new Promise((resolve) => setImmediate(resolve, "late"));
      expect(await Promise.race([rejectionOf(mesh.fetch("orders/x")), isLate])).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
    }
    registry.heal();
    await until("the mesh has found the instance", () =>
      mesh.fetch("orders/x").then(
        () => true,
        () => false,
      ),
    );
  });

  it("because the registry is down fails so at the deadline too, with the registry's error as its cause, and the limit in its message", async () => {
    const registry = memoryRegistry();
    registry.fail(new Error("no leader"));
    const mesh = closing(createMesh({ discovery: registry, timeoutMs: 60, discoveryTimeoutMs: 5_000 }));
    for (const init of [undefined, { method: "POST", body: "x" }]) {
      const error = (await rejectionOf(mesh.fetch("orders/x", init))) as MeshError;
      expect(error).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS", maybeExecuted: false, cause: { message: "no leader" }, attempts: [] });
      expect(error.message).toMatch(
        /^"orders" has no endpoints: asked memory registry \d+ ms ago, no leader; the deadline of 60 ms \(timeoutMs\) has passed$/,
      );
    }
  });

  it("because it lists only such as may not be called says why, and how many", async () => {
    const listed: Discovery = {
      name: "mine",
      async *watch() {
        const leftOut = [{ reason: "in maintenance", withdrawn: true }, { reason: "no port" }, { reason: "no port" }];
        yield { endpoints: [{ id: "a", host: "10.0.0.1", port: 0 }], certain: false, leftOut };
      },
    };
    const mesh = closing(createMesh({ discovery: listed }));
    const { message } = (await rejectionOf(mesh.fetch("orders/x"))) as Error;
    const reasons = "2 × no port, 1 × in maintenance, 1 × port is not an integer from 1 to 65535";
    expect(message).toMatch(/^"orders" has no endpoints: mine listed none that may be called \(.*\) \d+ ms ago$/);
    expect(message).toContain(reasons);
    expect(mesh.explain("orders")?.leftOut).toHaveLength(3);
    expect(String(mesh.explain("orders"))).toContain(`left out: ${reasons}`);
  });

  it("because the registry hangs fails within discoveryTimeoutMs", async () => {
    const mesh = closing(
      createMesh({
        discovery: { name: "mute", watch: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }) },
        discoveryTimeoutMs: 30,
        drainTimeoutMs: 0,
      }),
    );
    const error = (await rejectionOf(mesh.fetch("orders/x"))) as Error;
    expect(error.message).toMatch(/^"orders" has no endpoints: asked mute \d+ ms ago, it has not answered yet$/);
  });
});

describe("maxServices", () => {
  it("bounds the watches, whatever names come by", async () => {
    const registry = memoryRegistry();
    const server = await serve();
    registry.set("orders", [{ host: "127.0.0.1", port: server.port }]);
    const mesh = closing(createMesh({ discovery: registry, maxServices: 16, observers: [] }));
    let most = 0;
    for (let name = 0; name < 10_000; name++) {
      expect(await rejectionOf(mesh.fetch(`name-${name}/x`))).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
      most = Math.max(most, registry.watches);
    }
    expect(most).toBeLessThanOrEqual(18);
    await until("the evicted are gone", () => registry.watches <= 16);
    expect((await mesh.fetch("orders/x")).status).toBe(200);
    expect(mesh.explain("name-0")).toBeUndefined();
    await mesh.close();
    expect(registry.watches).toBe(0);
  });

  it("gives up the service that was unused for longest, and its connections", async () => {
    const server = await serve();
    const mesh = meshOf({ a: server.port, b: server.port, c: server.port }, { maxServices: 2 });
    for (const name of ["a", "b", "a", "c"]) await (await mesh.fetch(`${name}/x`)).text();
    expect(["a", "b", "c"].map((name) => mesh.explain(name) !== undefined)).toEqual([true, false, true]);
    await (await mesh.fetch("b/x")).text();
    expect(mesh.explain("a")).toBeUndefined();
  });

  it("gives up none that has a call in flight, wherever in the pipeline that is", async () => {
    const server = await serve();
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const interceptors: Interceptor[] = [(next) => async (request) => gate.then(() => next(request))];
    const mesh = meshOf({ a: server.port, b: server.port }, { maxServices: 1, services: { a: { interceptors } } });
    const call = mesh.fetch("a/x");
    const error = await rejectionOf(mesh.fetch("b/x"));
    expect(error).toMatchObject({ code: "ERR_MESH_OVERLOADED", service: "b", maybeExecuted: false });
    expect((error as Error).message).toContain("maxServices");
    release();
    await (await call).text();
    expect((await mesh.fetch("b/x")).status).toBe(200);
  });

  it("gives up none that an agent's request waits for", async () => {
    const server = await serve((_request, response) => response.end("ok"));
    let answer: (() => void) | undefined;
    const discovery: Discovery = {
      async *watch(service, signal) {
        if (service === "a") await new Promise<void>((resolve) => (answer = resolve));
        yield [{ id: "one", host: "127.0.0.1", port: server.port }];
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    };
    const mesh = closing(createMesh({ discovery, maxServices: 1 }));
    const agent = mesh.agent();
    onTestFinished(() => agent.destroy());
    const status = new Promise((resolve, reject) =>
      get("http://a/x", { agent }, (got) => resolve(got.resume().statusCode)).on("error", reject),
    );
    await until("it waits", () => answer !== undefined);
    expect(await rejectionOf(mesh.fetch("b/x"))).toMatchObject({ code: "ERR_MESH_OVERLOADED" });
    answer?.();
    expect(await status).toBe(200);
    await until("it is given up", () =>
      mesh.fetch("b/x").then(
        () => true,
        () => false,
      ),
    );
  });

  it("is told to interceptors as a rejection", async () => {
    const seen: unknown[] = [];
    const slow = await serve(() => {});
    const catching: Interceptor = (next) => (request) =>
      next(request).catch((error: unknown) => {
        seen.push(error);
        throw error;
      });
    const mesh = meshOf({ a: slow.port, b: slow.port }, { maxServices: 1, interceptors: [catching] });
    void mesh.fetch("a/x").catch(() => {});
    await until("a is called", () => slow.begun.length === 1);
    const error = await rejectionOf(mesh.fetch("b/x"));
    expect(error).toMatchObject({ code: "ERR_MESH_OVERLOADED" });
    expect(seen).toEqual([error]);
  });
});

describe("names that discovery has never listed", () => {
  const idle = (signal: AbortSignal) => new Promise((resolve) => signal.addEventListener("abort", resolve));

  /** Lists `real` and nothing else; without a catalogue. */
  async function rig({ answers = true, ...options }: Partial<MeshOptions> & { answers?: boolean } = {}) {
    const server = await serve((_request, response) => response.end("ok"));
    let begun = 0;
    const discovery: Discovery = {
      async *watch(service, signal) {
        begun++;
        if (service.startsWith("real")) yield [{ id: "one", host: "127.0.0.1", port: server.port }];
        else if (answers) yield [];
        await idle(signal);
      },
    };
    const mesh = closing(createMesh({ discovery, timeoutMs: 2_000, observers: [], ...options }));
    return { mesh, begun: () => begun };
  }

  it("never make a service go that has endpoints, and begin few watches", async () => {
    const { mesh, begun } = await rig();
    expect((await mesh.fetch("real/x")).status).toBe(200);
    const codes = new Set<unknown>();
    for (let name = 0; name < 1_000; name++) codes.add(((await rejectionOf(mesh.fetch(`fake${name}/x`))) as MeshError).code);
    expect(mesh.services()).toContain("real");
    expect(mesh.services().length).toBeLessThanOrEqual(33);
    expect(begun()).toBeLessThan(500);
    expect([...codes]).toEqual(["ERR_MESH_NO_ENDPOINTS", "ERR_MESH_OVERLOADED"]);
  });

  it("do not refuse a service that has endpoints while 128 of them wait for discovery", async () => {
    const { mesh } = await rig({ answers: false });
    expect((await mesh.fetch("real/x")).status).toBe(200);
    const waiting = Array.from({ length: 128 }, (_, name) => rejectionOf(mesh.fetch(`hang${name}/x`)));
    expect((await mesh.fetch("real/x")).status).toBe(200);
    void mesh.close();
    await Promise.all(waiting);
  });

  it("do not refuse a service that the options name, whatever the number of others", async () => {
    const { mesh } = await rig({ services: { "real-of-options": {} } });
    for (let name = 0; name < 200; name++) await rejectionOf(mesh.fetch(`fake${name}/x`));
    expect(await rejectionOf(mesh.fetch("real-new/x"))).toMatchObject({
      code: "ERR_MESH_OVERLOADED",
      message: expect.stringContaining("never listed"),
    });
    expect((await mesh.fetch("real-of-options/x")).status).toBe(200);
  });

  it("give way to a service of the catalogue, by whichever door it is called first", async () => {
    const registry = memoryRegistry();
    const server = await serve((_request, response) => response.end("ok"));
    for (const name of ["by-fetch", "by-agent", "by-warm"]) registry.set(name, [{ host: "127.0.0.1", port: server.port }]);
    const mesh = closing(createMesh({ discovery: registry, maxServices: 4, observers: [] }));
    for (let name = 0; name < 50; name++)
      expect(await rejectionOf(mesh.fetch(`fake${name}/x`))).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
    expect((await mesh.fetch("by-fetch/x")).status).toBe(200);
    expect(await mesh.warm("by-warm")).toBe(1);
    const agent = mesh.agent();
    onTestFinished(() => agent.destroy());
    const status = await new Promise((resolve, reject) =>
      get("http://by-agent/x", { agent }, (got) => resolve(got.resume().statusCode)).on("error", reject),
    );
    expect(status).toBe(200);
  });

  it("leave every place to services with endpoints, one after the other", async () => {
    const { mesh } = await rig({ maxServices: 8 });
    for (let name = 0; name < 100; name++) expect((await mesh.fetch(`real${name}/x`)).status).toBe(200);
    expect(mesh.services()).toEqual(Array.from({ length: 8 }, (_, index) => `real${92 + index}`));
  });
});

describe("a call that an interceptor passes to a second service", () => {
  it("keeps both from being given up", async () => {
    const failing = await serve((_request, response) => response.writeHead(500).end());
    const server = await serve();
    const answers: (() => void)[] = [];
    const slow = await serve((_request, response) => void answers.push(() => response.end("late")));
    const fallback: Interceptor = (next) => async (request) => {
      if (request.service !== "a") return next(request);
      const response = await next(request);
      response.body.discard();
      return next({ ...request, service: "b" });
    };
    const mesh = meshOf({ a: failing.port, b: slow.port, c: server.port, d: server.port }, { maxServices: 3, interceptors: [fallback] });
    const call = mesh.fetch("a/x");
    await until("it waits for b", () => answers.length === 1);
    for (const name of ["c", "d"]) await (await mesh.fetch(`${name}/x`)).text();
    expect(mesh.services()).toEqual(["a", "b", "d"]);
    answers[0]?.();
    expect(await (await call).text()).toBe("late");
    for (const name of ["c", "d"]) await (await mesh.fetch(`${name}/x`)).text();
    expect(mesh.services()).toEqual(["b", "c", "d"]);
  });
});

describe("mesh.register", () => {
  const instance = { service: "orders", port: 8080 };
  it("goes to the registrar that is given, else to the discovery adapter", async () => {
    const calls: unknown[] = [];
    const registrar = (name: string): Registrar => ({
      async register(...given) {
        calls.push([name, given[0]]);
        return { id: name, status: "up", setStatus: async () => {}, deregister: async () => {}, [Symbol.asyncDispose]: async () => {} };
      },
    });
    const both = closing(createMesh({ discovery: { async *watch() {}, ...registrar("discovery") } }));
    const { signal } = new AbortController();
    expect((await both.register(instance, signal)).id).toBe("discovery");
    expect((await both.register({ ...instance, registrar: registrar("own") })).id).toBe("own");
    expect(calls).toEqual([
      ["discovery", { ...instance, initialStatus: "up" }],
      ["own", { ...instance, initialStatus: "up" }],
    ]);
  });

  it("keeps the adapter's `this`", async () => {
    const registry = memoryRegistry();
    const mesh = closing(createMesh({ discovery: registry }));
    await using registered = await mesh.register({ service: "orders", port: 8080 });
    expect(registered.status).toBe("up");
    expect(registry.endpoints("orders")).toHaveLength(1);
  });

  it("says what is missing when there is no registrar", async () => {
    const mesh = meshOf({});
    const error = await rejectionOf(mesh.register(instance));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toBe("register: static list cannot register instances; give a registrar");
  });
});

describe("mesh.explain", () => {
  it("knows nothing of a service that was never called", () => {
    expect(meshOf({ orders: 1 }).explain("orders")).toBeUndefined();
    expect(meshOf({ orders: 1 }).explain("__proto__")).toBeUndefined();
  });

  it("says of every endpoint whether it is chosen and why", async () => {
    const good = await serve();
    const discovery: Discovery = {
      name: "mine",
      async *watch() {
        yield [
          { id: "good", host: "127.0.0.1", port: good.port },
          { id: "bad", host: "127.0.0.1", port: 1 },
          { id: "spare", host: "127.0.0.1", port: good.port, priority: 1 },
        ];
      },
    };
    const mesh = closing(createMesh({ discovery, random: () => 0.5 }));
    for (let call = 0; call < 4; call++) await (await mesh.fetch("orders/x")).text();
    const explained = mesh.explain("orders");
    expect(explained).toMatchObject({ service: "orders", discovery: "mine", discoveryError: undefined, breaker: "closed" });
    expect(explained?.ageMs).toBeGreaterThan(0);
    expect(explained?.endpoints).toMatchObject([
      {
        endpoint: { id: "good" },
        candidate: true,
        reason: "in rotation: priority 0 takes 70 % of the requests",
        state: "available",
        ejection: undefined,
        inFlight: 0,
        failures: 0,
      },
      {
        endpoint: { id: "bad" },
        address: "127.0.0.1:1",
        candidate: false,
        reason: expect.stringMatching(/^out for \d+\.\d s: connection refused, a probe in \d+\.\d s at the earliest$/),
        state: "ejected",
        ejection: { rule: "connection refused", sinceMs: expect.any(Number), untilMs: expect.any(Number) },
        ejections: 1,
        failures: 1,
        latencyMs: 0,
      },
      {
        endpoint: { id: "spare" },
        candidate: true,
        share: expect.closeTo(0.3),
        reason: "in rotation: priority 1 takes 30 % of the requests",
      },
    ]);
    expect(String(explained)).toContain(
      "orders: 2 of 3 endpoints are candidates, breaker of the service closed\nregistry OK: mine answered 0.",
    );
    expect(explained?.endpoints[0]?.latencyMs).toBeGreaterThan(0);
  });
});

describe("the time limits", () => {
  it("of the call bounds discovery, attempts, pauses and the body together", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/body") response.write("begin");
    });
    const slow: Discovery = {
      async *watch() {
        await new Promise(() => {});
      },
    };
    const options = { timeoutMs: 80, attemptTimeoutMs: false, discoveryTimeoutMs: 60_000, drainTimeoutMs: 0 } as const;
    const waiting = createMesh({ discovery: slow, ...options });
    // No instance was asked, so the deadline says nothing of the service.
    expect(await rejectionOf(waiting.fetch("orders/x"))).toMatchObject({
      code: "ERR_MESH_NO_ENDPOINTS",
      maybeExecuted: false,
      attempts: [],
    });
    const mesh = meshOf({ orders: server.port }, options);
    expect(await rejectionOf(mesh.fetch("orders/head"))).toMatchObject({
      code: "ERR_MESH_TIMEOUT",
      maybeExecuted: true,
      attempts: [{ phase: "headers" }],
    });
    const response = await mesh.fetch("orders/body");
    expect(await rejectionOf(response.text())).toMatchObject({
      code: "ERR_MESH_TIMEOUT",
      maybeExecuted: true,
      attempts: [{ phase: "body", status: 200 }],
    });
    await until("both connections are closed", () => server.abandoned === 2);
  });

  it("of a call replaces the mesh's", async () => {
    const server = await serve(() => {});
    const mesh = meshOf({ orders: server.port }, { timeoutMs: false, attemptTimeoutMs: false });
    expect(((await rejectionOf(mesh.fetch("orders/x", { mesh: { timeoutMs: 30 } }))) as Error).message).toContain("deadline of 30 ms");
    expect(((await rejectionOf(mesh.fetch("orders/x", { method: "POST", mesh: { attemptTimeoutMs: 30 } }))) as Error).message).toContain(
      "within 30 ms (mesh.attemptTimeoutMs of the call)",
    );
  });

  it("of the call ends at the head of an event stream", async () => {
    let send: ((text: string) => void) | undefined;
    const server = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" }).flushHeaders();
      send = (text) => void response.write(text);
    });
    const mesh = meshOf({ orders: server.port }, { timeoutMs: 60 });
    const controller = new AbortController();
    const response = await mesh.fetch("orders/x", { signal: controller.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await new Promise((resolve) => setTimeout(resolve, 150));
    send?.("data: 1\n\n");
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe("data: 1\n\n");
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await rejectionOf(reader.read())).toBe(reason);
    await until("the connection is closed", () => server.abandoned === 1);
  });

  it("of an attempt sends a GET past a hanging instance, and a POST not", async () => {
    const hanging = await serve(() => {});
    const good = await serve((_request, response) => response.end("good"));
    const mesh = () => meshOf({ orders: [hanging.port, good.port] }, { attemptTimeoutMs: 40 });
    const one = mesh();
    for (let call = 0; call < 2; call++) expect(await (await one.fetch("orders/x")).text()).toBe("good");
    const other = mesh();
    const outcomes = await Promise.all(
      [0, 1].map(() =>
        other.fetch("orders/x", { method: "POST" }).then(
          () => "good",
          (error: MeshError) => error,
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === "good")).toHaveLength(1);
    expect(outcomes.find((outcome) => outcome !== "good")).toMatchObject({
      code: "ERR_MESH_TIMEOUT",
      maybeExecuted: true,
      attempts: [{ phase: "headers" }],
    });
    expect(other.explain("orders")?.endpoints[0]).toMatchObject({ failures: 1, inFlight: 0 });
  });
});
