import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import express from "express";
import Fastify from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { createMesh } from "../../src/index.ts";
import { inmeshPlugin, servingOf } from "../../src/server/fastify.ts";
import { type ServeOptions, type Serving, serve } from "../../src/server/server.ts";
import { memoryRegistry } from "../../src/testing/index.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A program that serves by a framework: `/never` has a handler that does not end, `/large` is more than a client that reads nothing takes. */
interface Program {
  readonly serving: Serving;
  readonly server: Server;
  readonly lines: string[];
}

const large = Buffer.alloc(16_000_000);

const frameworks: Readonly<Record<string, (options: ServeOptions) => Promise<{ server: Server; serving: Serving }>>> = {
  "node:http": async (options) => {
    const server = createServer((request, response) => {
      if (request.url !== "/never") response.end(request.url === "/large" ? large : "ok");
    }).listen(0, "127.0.0.1");
    return { server, serving: serve(server, options) };
  },
  Express: async (options) => {
    const app = express();
    app.get("/never", () => {});
    app.get("/large", (_request, response) => void response.send(large));
    app.get("/", (_request, response) => void response.send("ok"));
    const server = app.listen(0, "127.0.0.1");
    return { server, serving: serve(server, options) };
  },
  Fastify: async (options) => {
    const app = fastifyApp();
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { server: app.server, serving: serve(app, options) };
  },
  "the plug-in for Fastify": async (options) => {
    const app = fastifyApp();
    await app.register(inmeshPlugin, options);
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { server: app.server, serving: servingOf(app) };
  },
};

function fastifyApp() {
  const app = Fastify();
  app.get("/never", () => new Promise(() => {}));
  app.get("/large", async () => large);
  app.get("/", async () => "ok");
  return app;
}

async function programBy(framework: string, options: ServeOptions = {}): Promise<Program> {
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const make = frameworks[framework] as (typeof frameworks)[string];
  const { server, serving } = await make({ signals: [], log, lameDuckMs: 0, graceMs: 700, ...options });
  ends.push(() => serving.stop());
  await serving.started;
  return { server, serving, lines };
}

async function asked({ server }: Program, path: string): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  ends.push(() => socket.destroy());
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`);
  return socket;
}

describe.each(Object.keys(frameworks))("a program that serves by %s", (framework) => {
  test.each(["/never", "/large"])("is stopped after graceMs under a request for %s, which is counted and said", async (path) => {
    const program = await programBy(framework);
    await asked(program, path);
    await expect.poll(() => program.lines.length > 0 && program.serving.state).toBe("serving");
    await new Promise((resolve) => setTimeout(resolve, 150));
    const startedAt = performance.now();
    const { cutOff, problems } = await program.serving.stop();
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(cutOff).toBe(1);
    expect(problems).toEqual([expect.stringMatching(/^cut off 1 of requests, .*, which had not ended after \d+ ms$/)]);
    expect(program.server.listening).toBe(false);
  });

  test("is stopped once, however it is asked, with work that never ends", async () => {
    const program = await programBy(framework);
    void program.serving.track(new Promise(() => {}));
    const stops = [program.serving.stop(), program.serving.stop(), program.serving[Symbol.asyncDispose]()];
    program.server.close();
    const [first, second] = await Promise.all(stops);
    expect(first).toBe(second);
    expect(first).toMatchObject({ cutOff: 1 });
    expect(program.lines.filter((line) => line.includes(" leaves "))).toHaveLength(1);
  });

  test.each<[string, () => boolean | Promise<boolean>, RegExp]>([
    [
      "throws",
      () => {
        throw new Error("no database");
      },
      /no database/,
    ],
    ["hangs", () => new Promise(() => {}), /did not answer|more than 1000 ms/],
    ["lies", (() => "yes") as never, /yes/],
  ])("is registered as down, and says so, where its health %s", async (_what, health, reason) => {
    const warnings: string[] = [];
    const onWarning = ({ message }: Error): void => void warnings.push(message);
    process.on("warning", onWarning);
    ends.push(() => process.off("warning", onWarning));
    const registry = memoryRegistry();
    const mesh = createMesh({ discovery: registry });
    const program = await programBy(framework, { mesh, register: { service: "orders", host: "127.0.0.1", health } });
    await expect.poll(() => warnings.filter((text) => reason.test(text))).toHaveLength(1);
    expect(program.serving.registration?.status).toBe("down");
    const { problems } = await program.serving.stop();
    expect(problems).toEqual([]);
    expect(program.serving.state).toBe("stopped");
  });
});

test("a hook of the application that never ends has what is left of graceMs, as the calls of the mesh have", async () => {
  const app = fastifyApp();
  app.addHook("onClose", () => new Promise<void>(() => {}));
  await app.listen({ port: 0, host: "127.0.0.1" });
  const serving = serve(app, { signals: [], log: false, lameDuckMs: 0, graceMs: 2_500 });
  await serving.started;
  void serving.track(new Promise((resolve) => setTimeout(resolve, 1_500)));
  const startedAt = performance.now();
  const { problems } = await serving.stop();
  expect(performance.now() - startedAt).toBeLessThan(4_800);
  expect(problems).toEqual([expect.stringContaining("could not close the application: it took more than")]);
});
