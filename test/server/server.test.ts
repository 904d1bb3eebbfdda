import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server, request as send } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { ServerReading } from "../../src/core/observing/reading.ts";
import type { MeshEvent } from "../../src/extend.ts";
import { createMesh, staticDiscovery } from "../../src/index.ts";
import { type ServeOptions, type Serving, serve } from "../../src/server/server.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

interface Served {
  readonly serving: Serving;
  readonly server: Server;
  readonly port: number;
  readonly lines: string[];
}

async function served(listener: RequestListener, options: ServeOptions = {}): Promise<Served> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  const lines: string[] = [];
  const serving = serve(server, { signals: [], lameDuckMs: 0, log: (line) => lines.push(line), ...options });
  ends.push(() => serving.stop());
  await serving.started;
  return { serving, server, port: (server.address() as AddressInfo).port, lines };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** Sends bytes on a connection of its own, and collects what comes back. */
function rawly(port: number): { readonly socket: Socket; received: string; readonly closed: Promise<unknown> } {
  const socket = connect(port, "127.0.0.1");
  const raw = { socket, received: "", closed: once(socket, "close") };
  socket.setEncoding("latin1").on("data", (text: string) => (raw.received += text));
  socket.on("error", () => {});
  ends.push(async () => socket.destroy());
  return raw;
}

function ask(port: number, options: { path?: string; method?: string; body?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send(
      { port, host: "127.0.0.1", path: options.path ?? "/", method: options.method ?? "GET", agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.once("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
        response.once("error", reject);
      },
    );
    request.once("error", reject).end(options.body);
  });
}

/** Resolves once the server accepts no connection any more. */
async function refusing(port: number): Promise<void> {
  await expect
    .poll(() =>
      once(connect(port, "127.0.0.1"), "connect").then(
        ([socket]) => void socket?.destroy(),
        ({ code }) => code,
      ),
    )
    .toBe("ECONNREFUSED");
}

describe("stopping a server of node:http", () => {
  test("answers what is under way, and accepts nothing new", async () => {
    let answer: (() => void) | undefined;
    const { serving, port } = await served((_request, response) => (answer = () => response.end("done")));
    const slow = ask(port);
    await expect.poll(() => answer).toBeDefined();
    const stopped = serving.stop();
    await refusing(port);
    answer?.();
    expect(await slow).toMatchObject({ status: 200, text: "done", headers: { connection: "close" } });
    expect(await stopped).toMatchObject({ cutOff: 0, problems: [] });
    expect(serving.state).toBe("stopped");
  });

  test("is not held up by connections that have never sent anything, nor by idle ones", async () => {
    const { serving, port } = await served((_request, response) => response.end("ok"));
    const silent = Array.from({ length: 10 }, () => rawly(port));
    const kept = rawly(port);
    kept.socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await expect.poll(() => kept.received).toContain("ok");
    const startedAt = performance.now();
    await serving.stop();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await Promise.all([...silent, kept].map(({ closed }) => closed));
  });

  test("closes each connection after one more response while it is a lame duck, and serves new ones", async () => {
    const { serving, port } = await served((_request, response) => response.end("ok"), { lameDuckMs: 300 });
    const kept = rawly(port);
    kept.socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await expect.poll(() => kept.received).toContain("ok");
    expect(kept.received).not.toContain("Connection: close");
    const stopped = serving.stop();
    expect(serving.state).toBe("lame-duck");
    kept.received = "";
    kept.socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await kept.closed;
    expect(kept.received).toContain("Connection: close");
    expect((await ask(port)).text).toBe("ok");
    const { lameDuckMs } = await stopped;
    expect(lameDuckMs).toBeGreaterThanOrEqual(295);
  });

  test("refuses a request on an open connection before its handler sees it, and reads its body", async () => {
    let answer = (): void => {};
    let handled = 0;
    const { serving, port } = await served((_request, response) => {
      handled++;
      answer = () => response.end("done");
    });
    const busy = ask(port);
    await expect.poll(() => handled).toBe(1);
    // The head of a request is on its way while the server stops.
    const late = rawly(port);
    late.socket.write("POST /late HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n");
    await pause(20);
    const stopped = serving.stop();
    await refusing(port);
    await pause(150);
    late.socket.write(`\r\n${"x".repeat(50_000)}`);
    await pause(20);
    expect(late.received).toBe("");
    late.socket.write("x".repeat(50_000));
    await late.closed;
    expect(late.received).toMatch(/^HTTP\/1\.1 503 /);
    expect(late.received).toContain("x-mesh-refused: 1\r\n");
    expect(late.received).toContain("this instance is stopping");
    expect(handled).toBe(1);
    answer();
    await busy;
    await stopped;
  });

  test("cuts off what takes longer than graceMs, and says how much", async () => {
    const { serving, port, lines } = await served(() => {}, { graceMs: 50 });
    const endless = ask(port);
    const rejected = expect(endless).rejects.toMatchObject({ code: "ECONNRESET" });
    await expect.poll(() => lines.length).toBeGreaterThan(0);
    await pause(50);
    const report = await serving.stop();
    await rejected;
    expect(report.cutOff).toBe(1);
    expect(report.problems[0]).toContain("cut off 1 of");
    expect(lines.some((line) => line.includes("cut off 1 of"))).toBe(true);
  });

  test("waits for a client that reads slowly, and not longer than graceMs for one that never reads", async () => {
    const { serving, port } = await served((_request, response) => response.end(Buffer.alloc(20_000_000)), { graceMs: 100 });
    const stuck = rawly(port);
    stuck.socket.pause();
    stuck.socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await pause(50);
    const report = await serving.stop();
    expect(report.cutOff).toBe(1);
    stuck.socket.resume();
    await stuck.closed;
  });

  test("waits for tracked work", async () => {
    const { serving } = await served((_request, response) => response.end());
    let finish = (): void => {};
    const job = new Promise<void>((resolve) => (finish = resolve));
    expect(serving.track(job)).toBe(job);
    serving.track(Promise.reject(new Error("a job that fails"))).catch(() => {});
    let hasStopped = false;
    const stopped = serving.stop().then(() => (hasStopped = true));
    await pause(50);
    expect(hasStopped).toBe(false);
    finish();
    await stopped;
  });

  test("ends event streams with a field by which the client comes back at once, and survives their handler's later writes", async () => {
    const { serving, port } = await served((request, response) => {
      if (request.url === "/at-once") response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
      else response.setHeader("content-type", "text/event-stream");
      response.write("data: 1\n\n");
      const timer = setInterval(() => response.write("data: more\n\n"), 5);
      response.once("close", () => setTimeout(() => clearInterval(timer), 50));
    });
    const streams = [ask(port, { path: "/at-once" }), ask(port)];
    await pause(50);
    await serving.stop();
    for (const { text } of await Promise.all(streams)) expect(text).toMatch(/^(data: \w+\n\n)+retry: 200\n\n$/);
    await pause(60);
  });

  test("closes WebSockets with the code 1001", async () => {
    const { serving, server, port } = await served((_request, response) => response.end());
    server.on("upgrade", (_request, socket: Socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n");
      // As a library answers the close frame of the client.
      socket.on("data", () => socket.end());
    });
    const client = rawly(port);
    client.socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    await expect.poll(() => client.received).toContain("101");
    client.received = "";
    const stopped = serving.stop();
    await expect.poll(() => client.received).toBe("\x88\x02\x03\xe9");
    client.socket.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]));
    expect(await stopped).toMatchObject({ cutOff: 0 });
  });

  test("stops once, however often it is asked, and leaves no listener", async () => {
    const before = process.listenerCount("SIGTERM");
    const server = createServer().listen(0, "127.0.0.1");
    const listeners = server.listenerCount("connection");
    const serving = serve(server, { lameDuckMs: 0, log: false });
    expect(process.listenerCount("SIGTERM")).toBe(before + 1);
    await serving.started;
    const [one, two] = [serving.stop(), serving.stop()];
    expect(two).toBe(one);
    await one;
    await serving[Symbol.asyncDispose]();
    expect(process.listenerCount("SIGTERM")).toBe(before);
    expect(server.listenerCount("connection")).toBe(listeners);
    expect(Object.hasOwn(server, "emit")).toBe(false);
  });

  test("stays stopped where it is stopped at any moment of its start", async () => {
    for (let turns = 0; turns < 30; turns++) {
      const states: string[] = [];
      const observer = { onEvent: (event: MeshEvent) => void (event.type === "serving" && states.push(event.state)) };
      const mesh = createMesh({ discovery: staticDiscovery({}), observers: [observer] });
      const server = createServer((_request, response) => response.end()).listen(0, "127.0.0.1");
      await once(server, "listening");
      const ready = (): boolean => {
        let later = Promise.resolve();
        for (let turn = 0; turn < turns; turn++) later = later.then(() => {});
        void later.then(() => serving.stop());
        return true;
      };
      const serving = serve(server, { mesh, signals: [], lameDuckMs: 0, log: false, ready });
      await serving.started.catch(() => {});
      await serving.stop();
      expect([turns, states.lastIndexOf("serving") <= states.indexOf("lame-duck"), states.at(-1)]).toEqual([turns, true, "stopped"]);
    }
  });

  test("stops once where a listener of leaving asks for it too", async () => {
    const { serving, lines } = await served((_request, response) => response.end(), { lameDuckMs: 100 });
    let again: unknown;
    serving.leaving.addEventListener("abort", () => {
      again = serving.stop();
    });
    const stopped = serving.stop();
    expect(again).toBe(stopped);
    await stopped;
    expect(lines.filter((line) => line.includes("stopped after"))).toHaveLength(1);
  });

  test("serves what arrives within the moment after its last connection", async () => {
    let answer: (() => void) | undefined;
    const { serving, port } = await served((_request, response) => (answer = () => response.end("done")));
    const early = rawly(port);
    await once(early.socket, "connect");
    const stopped = serving.stop();
    await expect.poll(() => serving.state).toBe("draining");
    // Its connection was there before: at rest, it would have been closed at once.
    early.socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
    await expect.poll(() => answer).toBeDefined();
    answer?.();
    await early.closed;
    expect(early.received).toMatch(/^HTTP\/1\.1 200 /);
    await stopped;
  });

  test("stops before it listens, and before the program is ready", async () => {
    const server = createServer();
    const serving = serve(server, { signals: [], log: false });
    await serving.stop();
    await expect(serving.started).rejects.toThrow("the server is stopping");

    const unready = createServer().listen(0, "127.0.0.1");
    const waiting = serve(unready, { signals: [], log: false, ready: () => false });
    await once(unready, "listening");
    expect(await waiting.readiness()).toEqual({ ready: false, reason: "it is starting" });
    await waiting.stop();
    expect(waiting.state).toBe("stopped");
  });
});

describe("a server that belongs to a mesh", () => {
  test("tells its observers of each state, and of what was cut off", async () => {
    const states: unknown[] = [];
    let read: (() => readonly ServerReading[]) | undefined;
    const mesh = createMesh({
      discovery: staticDiscovery({}),
      observers: [
        {
          onOpen: ({ servers }) => {
            read = servers;
          },
          onEvent: (event) => {
            if (event.type === "serving") states.push([event.service, event.state, event.cutOff]);
          },
        },
      ],
    });
    const { serving, port } = await served(() => {}, { mesh, graceMs: 50 });
    const endless = ask(port);
    const rejected = expect(endless).rejects.toMatchObject({ code: "ECONNRESET" });
    await expect.poll(() => read?.()[0]).toMatchObject({ service: "_unregistered", state: "serving", open: 1, connections: 1 });
    await serving.stop();
    await rejected;
    expect(states).toEqual(
      ["serving", "lame-duck", "draining", "stopped"].map((state) => ["_unregistered", state, state === "stopped" ? 1 : 0]),
    );
    expect(read?.()).toEqual([]);
  });

  test("is closed after the last of several servers has stopped", async () => {
    const mesh = createMesh({ discovery: staticDiscovery({ other: [{ host: "127.0.0.1", port: 9 }] }) });
    const one = await served((_request, response) => response.end(), { mesh });
    const two = await served((_request, response) => response.end(), { mesh });
    await one.serving.stop();
    await expect(mesh.fetch("other/")).rejects.not.toMatchObject({ code: "ERR_MESH_CLOSED" });
    await two.serving.stop();
    await expect(mesh.fetch("other/")).rejects.toMatchObject({ code: "ERR_MESH_CLOSED" });
  });
});

test("a port in use is said, and the server is served once it listens on another one", async () => {
  const taken = await served((_request, response) => response.end());
  const lines: string[] = [];
  const server = createServer((_request, response) => response.end("ok"));
  const serving = serve(server, { signals: [], lameDuckMs: 0, log: (line) => lines.push(line) });
  ends.push(() => serving.stop());
  const failed = once(server, "error").catch((error: unknown) => error);
  server.on("error", () => {});
  server.listen(taken.port, "127.0.0.1");
  await failed;
  expect(lines[0]).toMatch(/does not listen: .*EADDRINUSE/);
  expect(serving.state).toBe("starting");
  server.listen(0, "127.0.0.1");
  await serving.started;
  expect(serving.state).toBe("serving");
});

describe("readiness", () => {
  test.each<[answer: string, ready: () => boolean | Promise<boolean>, reason: string]>([
    [
      "throws",
      () => {
        throw new Error("no database");
      },
      "ready failed: no database",
    ],
    ["rejects", () => Promise.reject(new Error("no database")), "ready failed: no database"],
    ["answers with something else", () => "yes" as never, "ready answered neither true nor false"],
    ["says no", () => false, "ready says no"],
  ])("is denied where ready %s, which is said once", async (_answer, ready, reason) => {
    let isReady = false;
    const lines: string[] = [];
    const server = createServer().listen(0, "127.0.0.1");
    const serving = serve(server, { signals: [], lameDuckMs: 0, log: (line) => lines.push(line), ready: () => isReady || ready() });
    ends.push(() => serving.stop());
    await expect.poll(() => lines.length, { timeout: 3_000 }).toBe(1);
    expect(lines[0]).toContain(`is not ready: ${reason}`);
    isReady = true;
    await serving.started;
    expect(lines).toHaveLength(2);
    expect(await serving.readiness()).toEqual({ ready: true, reason: undefined });
  });
});

const servedTwice =
  "serve: the server is served already; one call of serve, or the plug-in for Fastify, serves a server until it has stopped";

describe("bad input", () => {
  test.each<[what: string, server: unknown, options: unknown, message: string]>([
    ["no server", {}, {}, "serve needs a server of node:http, node:https or node:http2, a Fastify instance or a Server of @grpc/grpc-js"],
    ["an Express application", () => {}, {}, "what app.listen() returns"],
    ["an unknown option", createServer(), { lameDuck: 1 }, 'serve has no option "lameDuck"'],
    ["a negative time", createServer(), { graceMs: -1 }, "serve.graceMs must be from 0 to 2147483647, not -1"],
    ["a signal that cannot be caught", createServer(), { signals: ["SIGKILL"] }, "signals"],
    ["a registration without a mesh", createServer(), { register: { service: "a" } }, "register needs a mesh"],
    ["no mesh", createServer(), { mesh: {} }, "serve.mesh must be a mesh"],
  ])("refuses %s", (_what, server, options, message) => {
    expect(() => serve(server as Server, options as ServeOptions)).toThrow(message);
  });

  test("refuses a server that is served already, until it has stopped", async () => {
    const { server, serving, port } = await served((_request, response) => response.end("once"));
    const listeners = server.eventNames().map((name) => server.listenerCount(name));
    expect(() => serve(server, { signals: [], log: false })).toThrow(new TypeError(servedTwice));
    expect(() => serve({ server, close: async () => {} }, { signals: [], log: false })).toThrow(servedTwice);
    expect(server.eventNames().map((name) => server.listenerCount(name))).toEqual(listeners);
    // Wrong options are no reason to take it.
    expect(() => serve(server, { graceMs: -1 })).toThrow(RangeError);
    expect((await ask(port)).text).toBe("once");
    await serving.stop();
    server.listen(0, "127.0.0.1");
    const again = serve(server, { signals: [], lameDuckMs: 0, log: false });
    await again.started;
    await again.stop();
  });
});
