import { once } from "node:events";
import { existsSync } from "node:fs";
import { Agent, createServer, get, type RequestListener, type Server } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import type { Registrar } from "../../src/extend.ts";
import { createMesh, type Mesh, staticDiscovery } from "../../src/index.ts";
import { type ServeOptions, type Serving, serve } from "../../src/server/server.ts";
import { memoryRegistry } from "../../src/testing/index.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const quiet = { signals: [], log: false, lameDuckMs: 0 } as const;

async function listening(listener: RequestListener = (_request, response) => void response.end("ok")): Promise<Server> {
  const server = createServer(listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

function opened(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  ends.push(() => socket.destroy());
  return once(socket, "connect").then(() => socket);
}

function meshWith(registrar: Partial<Registrar>): Mesh {
  const mesh = createMesh({ discovery: Object.assign(staticDiscovery({}), { name: "scripted", ...registrar }) as never });
  ends.push(() => mesh.close());
  return mesh;
}

/** Stops, and returns how long that took, in milliseconds. */
async function stopped(serving: Serving): Promise<{ ms: number; problems: readonly string[]; cutOff: number }> {
  const startedAt = performance.now();
  const { problems, cutOff } = await serving.stop();
  return { ms: performance.now() - startedAt, problems, cutOff };
}

const hung = (): Promise<never> => new Promise(() => {});
const registration = (over: object = {}) => ({
  id: "a",
  status: "up" as const,
  setStatus: async () => {},
  deregister: async () => {},
  [Symbol.asyncDispose]: async () => {},
  ...over,
});

describe("connections from before the server was served", () => {
  const kinds: readonly [string, (socket: Socket) => Promise<unknown> | undefined][] = [
    ["that have never sent anything", () => undefined],
    [
      "that are at rest",
      (socket) => {
        socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        return once(socket, "data");
      },
    ],
    ["with a part of a request", async (socket) => void socket.write("GET / HT")],
  ];
  test.each(kinds)("hold no stop up: those %s", async (_what, prepare) => {
    const server = await listening();
    const socket = await opened(portOf(server));
    await prepare(socket);
    const serving = serve(server, { ...quiet, graceMs: 1_000 });
    await serving.started;
    expect((await stopped(serving)).ms).toBeLessThan(3_000);
  });

  test("hold no stop up: sessions of HTTP/2", async () => {
    const server = createHttp2Server((_request, response) => void response.end("ok"));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const session = connectHttp2(`http://127.0.0.1:${portOf(server)}`);
    session.on("error", () => {});
    ends.push(() => session.destroy());
    await once(session.request({ ":path": "/" }).resume(), "close");
    const serving = serve(server, { ...quiet, graceMs: 1_000 });
    await serving.started;
    expect((await stopped(serving)).ms).toBeLessThan(3_000);
  });
});

describe("a registry", () => {
  const cases: readonly [string, Partial<Registrar>][] = [
    ["register", { register: hung }],
    ["setStatus", { register: async () => registration({ setStatus: hung }) }],
    ["deregister", { register: async () => registration({ deregister: hung }) }],
    ["everything", { register: async () => registration({ setStatus: hung, deregister: hung }) }],
  ];
  test.each(cases)(
    "that hangs at %s does not hold a stop up beyond its own time limit",
    async (what, registrar) => {
      const server = await listening();
      const mesh = meshWith(registrar);
      const serving = serve(server, { ...quiet, mesh, register: { service: "orders", host: "127.0.0.1" }, graceMs: 60_000 });
      if (what !== "register") await serving.started;
      else await expect.poll(() => serving.state).toBe("serving");
      const { ms, problems } = await stopped(serving);
      expect(ms).toBeLessThan(14_000);
      if (what !== "register") expect(problems.join()).toMatch(/could not (tell|deregister)/);
    },
    30_000,
  );

  test("whose registrar throws synchronously at each call ends nothing but the registration", async () => {
    const thrower = (): never => {
      throw new Error("planted");
    };
    const server = await listening();
    const mesh = meshWith({ register: async () => registration({ setStatus: thrower, deregister: thrower }) });
    const serving = serve(server, { ...quiet, mesh, register: { service: "orders", host: "127.0.0.1" } });
    await serving.started;
    const { problems } = await stopped(serving);
    expect(problems.join()).toContain("planted");
  });
});

describe("requests at the moment of a stop", () => {
  const serveOn = async (listener: RequestListener, options: ServeOptions = {}) => {
    const server = await listening(listener);
    const serving = serve(server, { ...quiet, ...options });
    await serving.started;
    return { server, serving, port: portOf(server) };
  };

  test("a half-sent head does not hold the stop up", async () => {
    const { serving, port } = await serveOn((_request, response) => void response.end("ok"), { graceMs: 60_000 });
    (await opened(port)).write("POST / HTTP/1.1\r\nhost: a\r\ncontent-le");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await stopped(serving)).ms).toBeLessThan(5_000);
  });

  test("pipelined requests are answered in their order, refused ones too", async () => {
    let seen = 0;
    const { serving, port } = await serveOn((_request, response) => {
      seen++;
      setTimeout(() => response.end("ok"), 100);
    });
    const socket = await opened(port);
    let text = "";
    socket.setEncoding("latin1").on("data", (part: string) => (text += part));
    socket.write("GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n");
    await expect.poll(() => seen).toBe(2);
    const { cutOff } = await stopped(serving);
    expect(cutOff).toBe(0);
    expect(text.match(/HTTP\/1\.1 200/g)?.length).toBeGreaterThanOrEqual(1);
  });

  test("a client that is still sending its body is waited for, and answered", async () => {
    const { serving, port } = await serveOn((request, response) => void request.resume().on("end", () => response.end("got it")));
    const socket = await opened(port);
    let text = "";
    socket.setEncoding("latin1").on("data", (part: string) => (text += part));
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n12345");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const stopping = stopped(serving);
    await new Promise((resolve) => setTimeout(resolve, 400));
    socket.write("67890");
    expect((await stopping).cutOff).toBe(0);
    await expect.poll(() => text).toContain("got it");
  });

  test("a request with Expect: 100-continue is refused before it sends its body", async () => {
    const seen: string[] = [];
    const server = await listening();
    server.on("checkContinue", (_request, response) => {
      seen.push("continue");
      response.writeContinue();
      response.end("ok");
    });
    const serving = serve(server, { ...quiet, graceMs: 2_000 });
    await serving.started;
    const held = serving.track(new Promise((resolve) => setTimeout(resolve, 1_000)));
    const socket = await opened(portOf(server));
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n");
    await new Promise((resolve) => setTimeout(resolve, 30));
    const stopping = serving.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    let text = "";
    socket.setEncoding("latin1").on("data", (part: string) => (text += part));
    socket.write("content-length: 5\r\nexpect: 100-continue\r\n\r\n");
    await held;
    await stopping;
    await expect.poll(() => text).toMatch(/^HTTP\/1\.1 503[\s\S]*x-mesh-refused: 1/i);
    expect(seen).toEqual([]);
  });

  test("a handler that throws after the stop has begun does not keep it from its end", async () => {
    const { server, serving, port } = await serveOn((_request, response) => {
      serving.leaving.addEventListener("abort", () => response.destroy(new Error("planted")));
    });
    const failed = fetch(`http://127.0.0.1:${port}`).catch((error: Error) => error.name);
    await once(server, "request");
    expect((await stopped(serving)).ms).toBeLessThan(5_000);
    expect(await failed).toBe("TypeError");
  });
});

describe("an HTTP/2 server that stops", () => {
  test("with a stream whose client never ends its body, ends after graceMs", async () => {
    const server = createHttp2Server((request) => void request.resume());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const serving = serve(server, { ...quiet, graceMs: 300 });
    await serving.started;
    const session = connectHttp2(`http://127.0.0.1:${portOf(server)}`);
    session.on("error", () => {});
    ends.push(() => session.destroy());
    const stream = session.request({ ":path": "/", ":method": "POST" });
    stream.on("error", () => {});
    stream.write("a part");
    await once(server, "stream");
    const { ms, cutOff } = await stopped(serving);
    expect([ms < 3_000, cutOff]).toEqual([true, 1]);
  });

  test("answers a stream that was opened in the lame duck, and then closes its session", async () => {
    const server = createHttp2Server((_request, response) => void setTimeout(() => response.end("late"), 200));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const serving = serve(server, { ...quiet, lameDuckMs: 300 });
    await serving.started;
    const session = connectHttp2(`http://127.0.0.1:${portOf(server)}`);
    session.on("error", () => {});
    ends.push(() => session.destroy());
    const stopping = serving.stop();
    await new Promise((resolve) => setTimeout(resolve, 150));
    const stream = session.request({ ":path": "/" });
    let text = "";
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
    await once(stream, "close");
    expect(text).toBe("late");
    expect((await stopping).cutOff).toBe(0);
  });
});

describe("Fastify behind kept-alive agents", () => {
  test("is stopped under requests without one that is lost or refused", async () => {
    const application = Fastify();
    application.get("/", async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return "ok";
    });
    await application.listen({ port: 0, host: "127.0.0.1" });
    const serving = serve(application, { ...quiet, lameDuckMs: 600 });
    await serving.started;
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    ends.push(() => agent.destroy());
    const port = portOf(application.server);
    let isOver = false;
    const failures: string[] = [];
    let answered = 0;
    const caller = async (): Promise<void> => {
      while (!isOver) {
        await new Promise<void>((resolve) => {
          get({ port, host: "127.0.0.1", agent }, (response) => {
            if (response.statusCode === 200) answered++;
            else failures.push(`${response.statusCode}`);
            response.resume().on("close", resolve);
          }).on("error", (error) => {
            failures.push(error.message);
            resolve();
          });
        });
      }
    };
    const callers = Promise.all(Array.from({ length: 8 }, caller));
    await expect.poll(() => answered).toBeGreaterThan(20);
    const stopping = serving.stop();
    await new Promise((resolve) => setTimeout(resolve, 400));
    // Its callers know by then.
    isOver = true;
    await callers;
    await stopping;
    expect(failures).toEqual([]);
  });

  test("is closed once where the program closes it while it stops", async () => {
    const application = Fastify();
    let closed = 0;
    application.addHook("onClose", async () => void closed++);
    await application.listen({ port: 0, host: "127.0.0.1" });
    const serving = serve(application, { ...quiet, lameDuckMs: 200 });
    await serving.started;
    await Promise.all([serving.stop(), application.close(), serving.stop(), application.close()]);
    expect(closed).toBe(1);
  });
});

describe("a server that something else closes", () => {
  test.each(["at rest", "under a request"])("leaves its registry by itself, %s", async (when) => {
    const registry = memoryRegistry();
    const mesh = createMesh({ discovery: registry });
    ends.push(() => mesh.close());
    const release = Promise.withResolvers<void>();
    const server = await listening((_request, response) => void release.promise.then(() => response.end("ok")));
    const serving = serve(server, {
      ...quiet,
      mesh,
      register: { service: "svc", host: "127.0.0.1", healthIntervalMs: 50 },
      graceMs: 5_000,
    });
    await serving.started;
    const listed = () => registry.endpoints("svc").length;
    expect(listed()).toBe(1);
    const answer = when === "at rest" ? undefined : fetch(`http://127.0.0.1:${portOf(server)}`).then((response) => response.text());
    if (answer !== undefined) await once(server, "request");
    server.close();
    await expect.poll(listed, { timeout: 3_000 }).toBe(0);
    release.resolve();
    if (answer !== undefined) expect(await answer).toBe("ok");
    await expect.poll(() => serving.state, { timeout: 3_000 }).toBe("stopped");
  });

  test("leaves its registry too where a framework closes it", async () => {
    const registry = memoryRegistry();
    const mesh = createMesh({ discovery: registry });
    ends.push(() => mesh.close());
    const application = Fastify();
    application.get("/", async () => "ok");
    await application.listen({ port: 0, host: "127.0.0.1" });
    const serving = serve(application, { ...quiet, mesh, register: { service: "svc", host: "127.0.0.1" } });
    await serving.started;
    await application.close();
    await expect.poll(() => serving.state, { timeout: 3_000 }).toBe("stopped");
    expect(registry.endpoints("svc")).toEqual([]);
  });

  test("is served on where it is closed before it listens, as programs do whose port is in use", async () => {
    const server = createServer((_request, response) => void response.end("ok"));
    const serving = serve(server, quiet);
    server.close();
    server.listen(0, "127.0.0.1");
    await serving.started;
    expect(serving.state).toBe("serving");
    await serving.stop();
    expect(Object.hasOwn(server, "close")).toBe(false);
  });
});

test("a server on a Unix socket is stopped as others are, and its socket is gone", async () => {
  const path = join(tmpdir(), `inmesh-stop-${process.pid}.sock`);
  const server = createServer((_request, response) => void setTimeout(() => response.end("ok"), 100));
  await once(server.listen(path), "listening");
  const serving = serve(server, quiet);
  await serving.started;
  const answer = new Promise<number | undefined>((resolve, reject) => {
    get({ socketPath: path, path: "/" }, (response) => resolve(response.resume().statusCode)).on("error", reject);
  });
  await once(server, "request");
  expect((await stopped(serving)).cutOff).toBe(0);
  expect(await answer).toBe(200);
  expect(existsSync(path)).toBe(false);
});

test("a stop that the readiness of the program asks for ends", async () => {
  const server = await listening();
  const serving: Serving = serve(server, {
    ...quiet,
    ready: () => {
      void serving.stop();
      return true;
    },
  });
  serving.started.catch(() => {});
  await expect.poll(() => serving.state).toBe("stopped");
});
