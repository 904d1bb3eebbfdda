import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type RequestOptions, request, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { gunzipSync } from "node:zlib";
import { Counter, Gauge, Registry } from "@prometheus-io/client";
import { fastify } from "fastify";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Format, openMetrics, prometheusText } from "../../../src/telemetry/prometheus/scrape-format.ts";
import { scrapeListener } from "../../../src/telemetry/prometheus/scrape-listener.ts";
import { prometheus } from "../../../src/telemetry/prometheus.ts";
import { total } from "./parse.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function serve(listener: RequestListener): Promise<number> {
  return listen(createServer(listener));
}

async function listen(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function ask(port: number, options: RequestOptions = {}): Promise<Answer> {
  const sent = request({ host: "127.0.0.1", port, path: "/metrics", agent: false, ...options });
  sent.end(options.method === "POST" ? "a body" : undefined);
  const [response] = await once(sent, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

/** A client that asks and never reads. */
async function hang(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => {});
  socket.pause();
  socket.write("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
  cleanups.push(() => socket.destroy());
  return socket;
}

describe("the handler", () => {
  it("answers in the format and coding that the client asks for, scrape by scrape", async () => {
    const registry = new Registry();
    new Counter({ name: "mine_total", help: "mine", registers: [registry] }).inc(2);
    const port = await serve(prometheus({ registry }).handler);
    const accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
    // The package takes "_total" away for good when it is switched to OpenMetrics once.
    for (let scrape = 0; scrape < 2; scrape++) {
      const [open, plain] = await Promise.all([ask(port, { headers: { accept, "accept-encoding": "gzip" } }), ask(port)]);
      expect(open).toMatchObject({ status: 200, headers: { "content-type": openMetrics, "content-encoding": "gzip" } });
      const text = gunzipSync(open.body).toString();
      expect(text).toContain("# TYPE mine counter\nmine_total 2\n");
      expect(text).toContain("# TYPE inmesh_ejections counter\n");
      expect(text.endsWith("\n# EOF\n")).toBe(true);
      expect(plain).toMatchObject({ status: 200, headers: { "content-type": prometheusText, vary: "Accept, Accept-Encoding" } });
      expect(plain.headers["content-encoding"]).toBeUndefined();
      expect(plain.body.toString()).toContain("# TYPE mine_total counter\nmine_total 2\n");
      expect(plain.body.toString()).not.toContain("# EOF");
    }
  });

  it("gives a registry's counters the same names in both formats, also when the registry is one of OpenMetrics", async () => {
    const registry = new Registry(Registry.OPENMETRICS_CONTENT_TYPE);
    new Counter({ name: "mine_total", help: "mine", registers: [registry] }).inc(2);
    const observer = prometheus({ registry });
    const port = await serve(observer.handler);
    await registry.metrics();
    const [plain, open] = [await ask(port), await observer.metrics()];
    expect(total(plain.body.toString(), "mine_total")).toBe(2);
    expect(total(open, "mine_total")).toBe(2);
  });

  it("answers HEAD with the head alone, and any other method with 405", async () => {
    const port = await serve(prometheus().handler);
    const got = await ask(port);
    const head = await ask(port, { method: "HEAD" });
    expect(head).toMatchObject({ status: 200, headers: { "content-length": String(got.body.byteLength) } });
    expect(head.body.byteLength).toBe(0);
    for (const method of ["POST", "DELETE", "OPTIONS"]) {
      expect(await ask(port, { method })).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    }
  });

  it("says nothing of an error to the client, and one warning to the process", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    cleanups.push(() => warn.mockRestore());
    const registry = new Registry();
    const collect = () => {
      throw new Error("password hunter2");
    };
    new Gauge({ name: "broken", help: "broken", registers: [registry], collect });
    const port = await serve(prometheus({ registry }).handler);
    for (let scrape = 0; scrape < 2; scrape++) {
      const { status, body, headers } = await ask(port);
      expect({ status, body: body.toString() }).toEqual({ status: 500, body: "the scrape failed\n" });
      expect(JSON.stringify(headers)).not.toContain("hunter2");
    }
    expect(warn.mock.calls).toEqual([["a scrape failed: Error: password hunter2", "MeshScrapeWarning"]]);
  });

  it("gives a scrape up that takes too long to collect, without a word when it comes late, and works again after that", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    cleanups.push(() => warn.mockRestore());
    let late: (text: string) => void = () => {};
    let isStuck = true;
    const stuck = new Promise<string>((resolve) => {
      late = resolve;
    });
    const port = await serve(scrapeListener(() => (isStuck ? stuck : Promise.resolve("fine 1\n")), 100));
    expect(await ask(port)).toMatchObject({ status: 503 });
    isStuck = false;
    late("late 1\n");
    expect((await ask(port)).body.toString()).toBe("fine 1\n");
    expect(warn).not.toHaveBeenCalled();
  });

  it("lets go of a client that does not read", async () => {
    // More than the buffers of two sockets take.
    const text = "x".repeat(32 * 2 ** 20);
    const server = createServer(scrapeListener(async () => text, 300));
    const port = await listen(server);
    await hang(port);
    const connections = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
    await expect.poll(connections).toBe(1);
    await expect.poll(connections, { timeout: 10_000 }).toBe(0);
  });

  it("answers forty at once, and the next again when one of them is done", async () => {
    const waiting: ((text: string) => void)[] = [];
    const read = (): Promise<string> => new Promise((resolve) => waiting.push(resolve));
    const port = await serve(scrapeListener(read, 60_000));
    const scrapes = Array.from({ length: 40 }, () => ask(port));
    await expect.poll(() => waiting.length).toBe(40);
    expect(await ask(port)).toMatchObject({ status: 503 });
    for (const done of waiting.splice(0)) done("fine 1\n");
    expect((await Promise.all(scrapes)).map(({ status }) => status)).toEqual(new Array(40).fill(200));
    const next = ask(port);
    await expect.poll(() => waiting.length).toBe(1);
    waiting[0]?.("fine 1\n");
    expect(await next).toMatchObject({ status: 200 });
  });

  it("forgets a client that goes before its answer is there", async () => {
    let done: (text: string) => void = () => {};
    const asked: string[] = [];
    const read = (format: Format): Promise<string> => {
      asked.push(format);
      return asked.length === 1
        ? new Promise((resolve) => {
            done = resolve;
          })
        : Promise.resolve("fine 1\n");
    };
    const port = await serve(scrapeListener(read, 60_000));
    const socket = await hang(port);
    await expect.poll(() => asked).toHaveLength(1);
    socket.destroy();
    await once(socket, "close");
    done("late 1\n");
    expect((await ask(port)).body.toString()).toBe("fine 1\n");
  });

  it("serves behind fastify too", async () => {
    const observer = prometheus();
    const app = fastify();
    app.get("/metrics", (incoming, reply) => {
      reply.hijack();
      observer.handler(incoming.raw, reply.raw);
    });
    cleanups.push(() => app.close());
    const { port } = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
    const { status, headers } = await ask(Number(port));
    expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: prometheusText });
  });
});
