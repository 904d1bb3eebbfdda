import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type CancelListener, Cancellation } from "../../src/core/cancellation.ts";
import { systemClock } from "../../src/core/clock.ts";
import { settleWire } from "../../src/core/connection-options.ts";
import type { Discovery } from "../../src/discovery/discovery.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { memoryRegistry } from "../../src/testing/memory-registry.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { staticIdentity } from "../../src/wire/identity/client-identity.ts";
import { Transport } from "../../src/wire/transport.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** Timers, sockets and the like that keep a process alive. */
function resources(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout" || name === "TCPSocketWrap" || name === "TCPConnectWrap");
}

describe("mesh.close", () => {
  it("is the same promise every time, and disposing is closing", async () => {
    let closed = 0;
    const mesh = createMesh({ discovery: { async *watch() {}, close: () => void closed++ } });
    expect(mesh.close()).toBe(mesh.close());
    await mesh[Symbol.asyncDispose]();
    expect(closed).toBe(1);
  });

  it("refuses later calls, of known services too", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port });
    await mesh.fetch("orders/x");
    const closed = mesh.close();
    for (const target of ["orders/x", "users/x"]) {
      expect(await rejectionOf(mesh.fetch(target))).toMatchObject({ code: "ERR_MESH_CLOSED", maybeExecuted: false });
    }
    await closed;
    expect(await rejectionOf(mesh.fetch("orders/x"))).toMatchObject({ code: "ERR_MESH_CLOSED", service: "orders" });
    expect(server.seen).toHaveLength(1);
    expect(mesh.explain("orders")).toBeUndefined();
  });

  it("waits for calls in flight: for their head, their retries and their body", async () => {
    const answers: (() => void)[] = [];
    const server = await serve((request, response) => {
      if (request.url === "/retried" && server.seen.filter(({ url }) => url === "/retried").length === 1) {
        response.writeHead(503).end();
        return;
      }
      response.write("begin");
      answers.push(() => response.end("end"));
    });
    const mesh = meshOf({ orders: server.port }, { drainTimeoutMs: 20_000, random: () => 0.99, retry: { baseDelayMs: 100 } });
    const calls = ["body", "retried"].map(async (path) => (await mesh.fetch(`orders/${path}`)).text());
    await until("one is answered and one has failed once", () => server.seen.length === 2);
    let isClosed = false;
    const closed = mesh.close().then(() => {
      isClosed = true;
    });
    await until("the retry is made", () => answers.length === 2);
    expect(isClosed).toBe(false);
    expect(await rejectionOf(mesh.fetch("orders/late"))).toMatchObject({ code: "ERR_MESH_CLOSED", maybeExecuted: false });
    for (const answer of answers) answer();
    expect(await Promise.all(calls)).toEqual(["beginend", "beginend"]);
    await closed;
    expect(server.begun).not.toContain("GET /late");
  });

  it("waits for those whose instance discovery has taken away, too", async () => {
    let answer = () => {};
    const server = await serve((_request, response) => {
      answer = () => void response.end("late");
    });
    const registry = memoryRegistry();
    registry.set("orders", [{ host: "127.0.0.1", port: server.port }]);
    const mesh = closing(createMesh({ discovery: registry, drainTimeoutMs: 20_000 }));
    const call = mesh.fetch("orders/x").then((response) => response.text());
    await until("the server has it", () => server.seen.length === 1);
    registry.set("orders", []);
    await until("it is gone", () => mesh.explain("orders")?.endpoints.length === 0);
    const closed = mesh.close();
    await new Promise((resolve) => setTimeout(resolve, 30));
    answer();
    expect(await call).toBe("late");
    await closed;
  });

  it("ends what has not ended after drainTimeoutMs, and sends nothing any more", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/body") response.write("begin");
    });
    const mesh = meshOf({ orders: server.port }, { drainTimeoutMs: 30, timeoutMs: false, attemptTimeoutMs: false });
    const head = rejectionOf(mesh.fetch("orders/head"));
    const body = await mesh.fetch("orders/body");
    await until("the server has both", () => server.seen.length === 2);
    await mesh.close();
    expect(await head).toMatchObject({ code: "ERR_MESH_CLOSED", maybeExecuted: true, attempts: [{ phase: "headers" }] });
    expect(await rejectionOf(body.text())).toMatchObject({ code: "ERR_MESH_CLOSED", maybeExecuted: true });
    await until("both connections are closed", () => server.abandoned === 2);
    expect(server.begun).toHaveLength(2);
  });

  it("ends calls that wait for discovery", async () => {
    const silent: Discovery = {
      async *watch(_service, signal) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    };
    const mesh = createMesh({ discovery: silent, discoveryTimeoutMs: 60_000, timeoutMs: false, drainTimeoutMs: 10 });
    const error = rejectionOf(mesh.fetch("orders/x"));
    await mesh.close();
    expect(await error).toMatchObject({ code: "ERR_MESH_CLOSED", service: "orders", attempts: [], maybeExecuted: false });
  });

  it("releases timers, sockets and watches", async () => {
    const before = resources().length;
    const server = await serve((request, response) => response.end(request.url === "/big" ? Buffer.alloc(1_000_000) : "ok"));
    const registry = memoryRegistry();
    registry.set("orders", [
      { host: "127.0.0.1", port: server.port },
      { id: "dead", host: "127.0.0.1", port: 1 },
    ]);
    const mesh = createMesh({ discovery: registry, drainTimeoutMs: 10 });
    await Promise.all(Array.from({ length: 10 }, () => mesh.fetch("orders/x")));
    await mesh.fetch("orders/big");
    await rejectionOf(mesh.fetch("nobody/x"));
    await mesh.close();
    await server.close();
    expect(registry.watches).toBe(0);
    await until("nothing is left", () => resources().length <= before);
  });

  it.each([
    ["whose close never ends", { async *watch() {}, name: "a registry", close: () => new Promise<void>(() => {}) }],
    [
      "whose watch never ends",
      {
        name: "a registry",
        async *watch() {
          yield [{ id: "a", host: "127.0.0.1", port: 1 }];
          await new Promise(() => {});
        },
      },
    ],
  ])("is not held up by a source %s", async (_what, discovery) => {
    let closed = 0;
    const mesh = createMesh({ discovery, observers: [{ onClose: () => void closed++ }] });
    await rejectionOf(mesh.fetch("orders/"));
    const startedAt = performance.now();
    await mesh.close();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(closed).toBe(1);
  });

  it("ends when discovery fails to close, and still tells the observers", async () => {
    let told = 0;
    const failing = { async *watch() {}, close: async () => Promise.reject(new Error("stuck")) };
    const mesh = createMesh({ discovery: failing, observers: [{ onClose: () => void told++ }] });
    expect(await rejectionOf(mesh.close())).toMatchObject({ message: "stuck" });
    expect(told).toBe(1);
  });
});

describe("a process that uses a mesh", () => {
  const index = new URL("../../src/index.ts", import.meta.url).href;
  const body = (use: string) => `
    import { createServer } from "node:http";
    import { createMesh, staticDiscovery } from ${JSON.stringify(index)};
    const server = createServer((request, response) => response.end(request.url === "/big" ? Buffer.alloc(8_000_000) : "ok"));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    server.unref();
    server.on("connection", (socket) => socket.unref());
    const mesh = createMesh({ discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port: server.address().port }] }), drainTimeoutMs: 50 });
    ${use}
    const doneAt = performance.now();
    process.on("exit", () => console.log(JSON.stringify({ lingeredMs: performance.now() - doneAt, resources: process.getActiveResourcesInfo() })));`;

  it.each([
    ["and closes it", 'await (await mesh.fetch("orders/x")).text(); await mesh.close();'],
    ["and closes it with a body unread", 'await mesh.fetch("orders/x"); await mesh.fetch("orders/big"); await mesh.close();'],
    ["and closes it with a body half read", 'await (await mesh.fetch("orders/big")).body.getReader().read(); await mesh.close();'],
    ["and closes it after a call that found nobody", 'await mesh.fetch("nobody/x").catch(() => {}); await mesh.close();'],
    ["and closes it during a call", 'mesh.fetch("orders/big").catch(() => {}); await mesh.close();'],
    ["and never closes it", 'await (await mesh.fetch("orders/x")).text();'],
  ])("%s ends by itself", async (_how, use) => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", body(use)], {
      cwd: join(import.meta.dirname, "../.."),
      timeout: 20_000,
    });
    // Generous for a loaded machine: what is not released keeps a process for 4 s (an idle connection) or 10 s (a deadline).
    expect(JSON.parse(stdout).lingeredMs).toBeLessThan(1_000);
  });
});

describe("Transport", () => {
  const options = { identity: staticIdentity(), clock: systemClock };
  const wire = settleWire({ connections: { max: 4, connectTimeoutMs: 1_000 }, bodyIdleTimeoutMs: false });

  it("has a pool for an instance from the first request to its removal", async () => {
    const server = await serve((_request, response) => response.end("ok"));
    const transport = new Transport(options);
    const upstream = testUpstream({ port: server.port });
    expect(transport.size).toBe(0);
    for (let call = 0; call < 3; call++) await (await transport.dispatch(wire)(testRequest({ upstream }))).body.text();
    expect(transport.size).toBe(1);
    transport.release(upstream);
    transport.release(upstream);
    await until("its pool is gone", () => transport.size === 0);
    await transport.destroy();
  });

  it("lets what is in flight on a removed instance end, and closes its idle connections", async () => {
    let answer = () => {};
    const server = await serve((_request, response) => {
      response.write("begin");
      answer = () => void response.end("end");
    });
    const transport = new Transport(options);
    const upstream = testUpstream({ port: server.port });
    const { body } = await transport.dispatch(wire)(testRequest({ upstream }));
    transport.release(upstream);
    expect(transport.size).toBe(1);
    answer();
    expect(await body.text()).toBe("beginend");
    await until("its pool is gone", () => transport.size === 0);
    await transport.destroy();
  });

  it("leaves no listener with the call, however it ends", async () => {
    class Counting extends Cancellation {
      listeners = 0;
      override onCancel(listener: CancelListener): void {
        this.listeners++;
        super.onCancel(listener);
      }
      override removeListener(listener: CancelListener): void {
        this.listeners--;
        super.removeListener(listener);
      }
    }
    const server = await serve((request, response) => (request.url === "/cut" ? response.destroy() : response.end("ok")));
    const transport = new Transport(options);
    const upstream = testUpstream({ port: server.port });
    const cancellation = new Counting();
    await (await transport.dispatch(wire)(testRequest({ upstream, cancellation }))).body.text();
    expect(cancellation.listeners).toBe(0);
    await rejectionOf(transport.dispatch(wire)(testRequest({ upstream, cancellation, path: "/cut" })));
    await rejectionOf(transport.dispatch(wire)(testRequest({ upstream: testUpstream({ port: 1 }), cancellation })));
    expect(cancellation.listeners).toBe(0);
    await transport.destroy();
  });

  it("keeps no pool for a request that found its instance removed on the way", async () => {
    const server = await serve((_request, response) => response.end("ok"));
    const transport = new Transport(options);
    const upstream = testUpstream({ port: server.port });
    upstream.markRemoved();
    expect(await (await transport.dispatch(wire)(testRequest({ upstream }))).body.text()).toBe("ok");
    await until("its pool is gone", () => transport.size === 0);
    await transport.destroy();
  });

  it("ends everything when it is destroyed, what was released before too, and takes nothing more", async () => {
    const server = await serve((_request, response) => void response.write("begin"));
    const transport = new Transport(options);
    const [first, second] = [testUpstream({ port: server.port }), testUpstream({ id: "2", port: server.port })];
    const bodies = await Promise.all(
      [first, second].map(async (upstream) => (await transport.dispatch(wire)(testRequest({ upstream }))).body),
    );
    transport.release(first);
    const ends = bodies.map((body) => rejectionOf(body.text()));
    await transport.destroy();
    expect(await Promise.all(ends)).toMatchObject([{ code: "ERR_MESH_CLOSED" }, { code: "ERR_MESH_CLOSED" }]);
    await until("every pool is gone", () => transport.size === 0);
    expect(await rejectionOf(transport.dispatch(wire)(testRequest({ upstream: first })))).toMatchObject({
      code: "ERR_MESH_CLOSED",
      maybeExecuted: false,
    });
    expect(transport.size).toBe(0);
  });
});
