import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket } from "undici";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { createMesh, type Mesh, roundRobin, staticDiscovery } from "../../src/index.ts";
import { type ServeOptions, type Serving, serve } from "../../src/server/server.ts";
import { memoryRegistry } from "../../src/testing/index.ts";
import { doorNames, doors } from "../support/doors.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Instance {
  readonly serving: Serving;
  readonly port: number;
  readonly seen: IncomingMessage[];
  readonly lines: string[];
}

async function instance(options: ServeOptions = {}): Promise<Instance> {
  const seen: IncomingMessage[] = [];
  const lines: string[] = [];
  const server: Server = createServer((request, response) => {
    seen.push(request);
    response.end("ok");
  });
  server.on("upgrade", (request, socket) => {
    seen.push(request);
    socket.end("HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  const serving = serve(server, { signals: [], lameDuckMs: 3_000, log: (line) => lines.push(line), ...options });
  ends.push(() => serving.stop());
  await serving.started;
  return { serving, port: (server.address() as AddressInfo).port, seen, lines };
}

function meshOf(...instances: readonly Instance[]): Mesh {
  const discovery = staticDiscovery({ svc: instances.map(({ port }) => ({ host: "127.0.0.1", port })) });
  return own(createMesh({ discovery, picker: roundRobin() }));
}

function own(mesh: Mesh): Mesh {
  ends.push(() => mesh.close());
  return mesh;
}

const callTwice = async (mesh: Mesh): Promise<void> => {
  for (let call = 0; call < 2; call++) await (await mesh.fetch("svc/")).text();
};

describe("an instance that leaves, with callers that are meshes", () => {
  test("is let go of as soon as discovery knows, and leaves without waiting longer", async () => {
    const registry = memoryRegistry();
    const [one, two] = await Promise.all(
      [0, 1].map(async () => {
        const server = own(createMesh({ discovery: registry }));
        return instance({ mesh: server, register: { service: "svc", host: "127.0.0.1" } });
      }),
    );
    const callers = [0, 1, 2].map(() => own(createMesh({ discovery: registry, picker: roundRobin() })));
    for (const caller of callers) await callTwice(caller);
    expect((one as Instance).seen).toHaveLength(3);
    const { lameDuckMs } = await (one as Instance).serving.stop();
    expect(lameDuckMs).toBeLessThan(1_500);
    expect((one as Instance).lines).toContainEqual(expect.stringContaining("all callers have let go of it"));
    for (const caller of callers) await callTwice(caller);
    expect((two as Instance).seen).toHaveLength(3 + 6);
  });

  test("tells them by its next response where discovery does not, and gets no more calls", async () => {
    const [one, two] = [await instance(), await instance()];
    const mesh = meshOf(one, two);
    await callTwice(mesh);
    const stopped = one.serving.stop();
    // Two calls: one of them tells the mesh.
    await callTwice(mesh);
    const heard = one.seen.length;
    expect(heard).toBe(2);
    for (let call = 0; call < 4; call++) await callTwice(mesh);
    expect(one.seen).toHaveLength(heard);
    expect(mesh.explain("svc")?.endpoints.map(({ ejection }) => ejection?.rule)).toContain("leaving");
    const { lameDuckMs } = await stopped;
    expect(lameDuckMs).toBeLessThan(1_500);
  });

  test("waits its whole time for a caller that is no mesh, and for a connection that has not been used", async () => {
    const foreign = await instance({ lameDuckMs: 400 });
    await callTwice(meshOf(foreign));
    await (await fetch(`http://127.0.0.1:${foreign.port}`)).text();
    expect((await foreign.serving.stop()).lameDuckMs).toBeGreaterThanOrEqual(395);

    const warmed = await instance({ lameDuckMs: 400 });
    expect(await meshOf(warmed).warm("svc")).toBe(1);
    expect((await warmed.serving.stop()).lameDuckMs).toBeGreaterThanOrEqual(395);
  });

  test("waits for callers that have just learnt of it, where none has called yet, until they have had the time that it gives them", async () => {
    const young = await instance({ lameDuckMs: 600 });
    const { lameDuckMs } = await young.serving.stop();
    expect(lameDuckMs).toBeGreaterThanOrEqual(500);
    expect(lameDuckMs).toBeLessThan(2_000);
    expect(young.lines).toContainEqual(expect.stringMatching(/it has not been called|accepts nothing new/));

    const old = await instance({ lameDuckMs: 600 });
    await new Promise((resolve) => setTimeout(resolve, 650));
    expect((await old.serving.stop()).lameDuckMs).toBeLessThan(500);
  });

  test.each(doorNames)("is named by %s, and does not wait for a mesh that has let go", async (name) => {
    const registry = memoryRegistry();
    const [one, two] = await Promise.all(
      [0, 1].map(async () => {
        const server = own(createMesh({ discovery: registry }));
        return instance({ mesh: server, register: { service: "svc", host: "127.0.0.1" } });
      }),
    );
    const mesh = own(createMesh({ discovery: registry, picker: roundRobin() }));
    for (let call = 0; call < 2; call++) await doors[name](mesh, { headers: { "x-mesh-caller": "copied" } });
    for (const { seen } of [one, two] as Instance[])
      for (const { headers } of seen) expect(headers["x-mesh-caller"]).toMatch(/^[\w-]{12}(;once)?$/);
    const { lameDuckMs } = await (one as Instance).serving.stop();
    expect(lameDuckMs).toBeLessThan(1_500);
  });

  test.each(["kube-probe/1.34", "Consul Health Check", "ELB-HealthChecker/2.0", "GoogleHC/1.0", "inmesh-health-check"])(
    "does not wait for probes by %s, which come until the end",
    async (agent) => {
      const one = await instance();
      const mesh = meshOf(one);
      await callTwice(mesh);
      const probe = () => fetch(`http://127.0.0.1:${one.port}/health`, { headers: { "user-agent": agent } }).catch(() => {});
      await probe();
      const probing = setInterval(probe, 20);
      ends.push(() => clearInterval(probing));
      await mesh.close();
      expect((await one.serving.stop()).lameDuckMs).toBeLessThan(1_500);
    },
  );

  test("waits for a caller whose name only resembles that of a probe", async () => {
    const one = await instance({ lameDuckMs: 400 });
    await fetch(`http://127.0.0.1:${one.port}/`, { headers: { "user-agent": "my kube-probe/1" } });
    expect((await one.serving.stop()).lameDuckMs).toBeGreaterThanOrEqual(395);
  });

  test("does not wait for the health checks of its callers", async () => {
    const one = await instance();
    const discovery = staticDiscovery({ svc: [{ host: "127.0.0.1", port: one.port }] });
    const mesh = own(createMesh({ discovery, services: { svc: { healthCheck: { type: "http", path: "/health", intervalMs: 50 } } } }));
    await callTwice(mesh);
    await expect.poll(() => one.seen.filter(({ url }) => url === "/health").length).toBeGreaterThan(1);
    await callTwice(mesh);
    const stopped = one.serving.stop();
    // It hears in its next response that the instance leaves.
    await callTwice(mesh);
    expect((await stopped).lameDuckMs).toBeLessThan(1_500);
  });

  test("tells a mesh that only upgrades that it leaves, and which one it is", async () => {
    const [one, two] = [await instance(), await instance()];
    const mesh = meshOf(one, two);
    for (let call = 0; call < 2; call++) await doors.upgrade(mesh);
    const stopped = one.serving.stop();
    // One of them is the last one that comes to it.
    for (let call = 0; call < 2; call++) await doors.upgrade(mesh);
    expect(one.seen).toHaveLength(2);
    for (let call = 0; call < 4; call++) await doors.upgrade(mesh);
    expect(one.seen).toHaveLength(2);
    expect((await stopped).lameDuckMs).toBeLessThan(1_500);
  });

  test("is let go of by a mesh with an open WebSocket, which is closed as going away", async () => {
    const registry = memoryRegistry();
    const sockets = new WebSocketServer({ noServer: true });
    const server = createServer().on("upgrade", (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (opened) => opened.on("message", (data) => opened.send(String(data))));
    });
    server.listen(0, "127.0.0.1");
    const mesh = own(createMesh({ discovery: registry }));
    const serving = serve(server, { mesh, signals: [], lameDuckMs: 10_000, log: false, register: { service: "svc", host: "127.0.0.1" } });
    ends.push(() => serving.stop());
    await serving.started;
    const caller = own(createMesh({ discovery: registry }));
    const socket = new WebSocket("ws://svc/", { dispatcher: caller.dispatcher() } as object);
    await once(socket, "open");
    socket.send("hello");
    expect((await once(socket, "message"))[0].data).toBe("hello");
    const closed = once(socket, "close");
    const { lameDuckMs, cutOff } = await serving.stop();
    expect([lameDuckMs < 5_000, cutOff]).toEqual([true, 0]);
    expect((await closed)[0].code).toBe(1001);
  });

  test("waits for a mesh whose client sends nothing again, although its connections have closed", async () => {
    const one = await instance({ lameDuckMs: 400 });
    const mesh = meshOf(one);
    await doors.agent(mesh);
    await mesh.close();
    expect((await one.serving.stop()).lameDuckMs).toBeGreaterThanOrEqual(395);
  });

  test("does not wait for a mesh whose connections have closed", async () => {
    const { serving, port, seen } = await instance();
    const mesh = meshOf({ serving, port, seen, lines: [] });
    await callTwice(mesh);
    await mesh.close();
    expect((await serving.stop()).lameDuckMs).toBeLessThan(1_500);
  });

  test("waits for the others where one caller says falsely that it has let go", async () => {
    const { serving, port, seen } = await instance({ lameDuckMs: 400 });
    await callTwice(meshOf({ serving, port, seen, lines: [] }));
    const name = "a-made-up-name";
    await fetch(`http://127.0.0.1:${port}/.inmesh/let-go`, { method: "POST", headers: { "x-mesh-caller": name } });
    expect(seen).toHaveLength(2);
    expect((await serving.stop()).lameDuckMs).toBeGreaterThanOrEqual(395);
  });

  test("is picked again when it is back before discovery has noticed", async () => {
    const registry = memoryRegistry();
    const one = await instance({ lameDuckMs: 100 });
    registry.set("svc", [{ host: "127.0.0.1", port: one.port }]);
    const mesh = own(createMesh({ discovery: registry }));
    await callTwice(mesh);
    const stopped = one.serving.stop();
    await callTwice(mesh);
    await stopped;
    const again = createServer((_request, response) => response.end("back")).listen(one.port, "127.0.0.1");
    ends.push(() => again.close());
    // It is the only one, so it is called although it is out.
    expect(await (await mesh.fetch("svc/")).text()).toBe("back");
  });
});

describe("what an instance says of itself", () => {
  const says = async (header: string): Promise<{ mesh: Mesh; port: number }> => {
    const server = createServer((_request, response) => response.setHeader("x-mesh-instance", header).end("ok"));
    server.on("upgrade", (_request, socket) =>
      socket.end(`HTTP/1.1 101 Switching Protocols\r\nx-mesh-instance: ${header}\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n`),
    );
    await once(server.listen(0, "127.0.0.1"), "listening");
    ends.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    const { port } = server.address() as AddressInfo;
    const mesh = own(createMesh({ discovery: staticDiscovery({ svc: [{ id: "a b", host: "127.0.0.1", port }] }) }));
    return { mesh, port };
  };

  test.each(doorNames)("does not reach the caller through %s", async (name) => {
    const { mesh } = await says("a%20b");
    const { headers } = await doors[name](mesh);
    expect(Object.keys(headers)).not.toContain("x-mesh-instance");
  });

  test.each([
    ["its id", "a%20b;leaving=5000", "leaving"],
    ["another instance, as a response that something on the way has handed on", "other,10.0.0.1:80;leaving=5000", undefined],
    ["no name", ";leaving=5000", undefined],
    ["a broken name", "%zz;leaving=5000", undefined],
    ["a time that is none", "a%20b;leaving=soon", undefined],
    ["nothing but its name", "a%20b", undefined],
  ])("counts where it names itself: %s", async (_what, header, rule) => {
    const { mesh } = await says(header);
    await (await mesh.fetch("svc/")).text();
    expect(mesh.explain("svc")?.endpoints[0]?.ejection?.rule).toBe(rule);
  });

  test("is not sent on by a caller: a header of that name is dropped from its requests", async () => {
    const { serving, port, seen } = await instance();
    const mesh = meshOf({ serving, port, seen, lines: [] });
    await (await mesh.fetch("svc/", { headers: { "x-mesh-caller": "somebody", "x-mesh-instance": "x" } })).text();
    expect(seen[0]?.headers["x-mesh-caller"]).toMatch(/^[\w-]{12}$/);
    expect(seen[0]?.headers["x-mesh-instance"]).toBeUndefined();
  });
});

describe("an instance that leaves, with a caller that is no mesh and holds an answer of the registry for a second", () => {
  /** One of two instances leaves while a client calls each address that it holds. */
  async function failuresOf(lameDuckMs: number): Promise<{ failed: number; sent: number; tookMs: number }> {
    const registry = memoryRegistry();
    const [one] = await Promise.all(
      [0, 1].map(async () => {
        const server = own(createMesh({ discovery: registry }));
        return instance({ mesh: server, register: { service: "svc", host: "127.0.0.1" }, lameDuckMs });
      }),
    );
    const watch = own(createMesh({ discovery: registry }));
    await watch.warm("svc");
    const listed = (): number[] => (watch.explain("svc")?.endpoints ?? []).map(({ address }) => Number(address.split(":")[1]));
    let held = listed();
    let heldSince = performance.now();
    let failed = 0;
    let sent = 0;
    const call = async (): Promise<void> => {
      if (performance.now() - heldSince >= 1_000) {
        held = listed();
        heldSince = performance.now();
      }
      for (const port of held) {
        sent++;
        const answer = await fetch(`http://127.0.0.1:${port}`, { method: "POST" }).catch(() => undefined);
        if (answer?.status !== 200) failed++;
        await answer?.text();
      }
    };
    const during = async (until: () => boolean): Promise<void> => {
      while (!until()) {
        await call();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const startedAt = performance.now();
    await during(() => sent > 20);
    // The moment after the client has asked: it holds the answer for the longest time.
    held = listed();
    heldSince = performance.now();
    let tookMs: number | undefined;
    const stopped = (one as Instance).serving.stop().then((report) => {
      tookMs = report.lameDuckMs;
    });
    await during(() => tookMs !== undefined && performance.now() - startedAt > 2_500);
    await stopped;
    return { failed, sent, tookMs: tookMs as number };
  }

  test("serves each of its requests where the lame duck is longer than that", async () => {
    const { failed, sent, tookMs } = await failuresOf(2_000);
    expect(sent).toBeGreaterThan(50);
    expect([failed, tookMs >= 1_995]).toEqual([0, true]);
  });

  test("refuses what comes later than a lame duck that is shorter", async () => {
    const { failed, tookMs } = await failuresOf(300);
    expect(tookMs).toBeGreaterThanOrEqual(295);
    expect(failed).toBeGreaterThan(0);
  });
});
