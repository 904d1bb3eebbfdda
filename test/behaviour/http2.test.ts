import {
  constants,
  createServer as createHttp2,
  createSecureServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createTlsServer } from "node:https";
import { describe, expect, it } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { certificate } from "../support/certificate.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening, serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

interface Http2TestServer {
  readonly port: number;
  readonly sessions: ServerHttp2Session[];
  readonly streams: string[];
}

type Answer = (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>) => void;

const hello: Answer = (stream, headers) => {
  stream.respond({ ":status": 200, "content-type": "text/plain" });
  stream.end(`h2 ${headers[":method"]} ${headers[":path"]}`);
};

async function serveHttp2(answer: Answer = hello, isSecure = false, allowHTTP1 = false): Promise<Http2TestServer> {
  const server = (isSecure ? createSecureServer({ ...certificate, allowHTTP1 }) : createHttp2()) as Http2Server;
  const sessions: ServerHttp2Session[] = [];
  const streams: string[] = [];
  server.on("session", (session) => {
    sessions.push(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream, headers) => {
    streams.push(`${headers[":method"]} ${headers[":path"]}`);
    stream.on("error", () => {});
    answer(stream, headers);
  });
  return { port: await listening(server), sessions, streams };
}

const h2c = (port: number | readonly number[], options: Partial<MeshOptions> = {}): Mesh =>
  meshOf({ users: port }, { protocol: "h2", ...options });

const secure = (port: number, options: Partial<MeshOptions>): Mesh =>
  closing(
    createMesh({
      discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port, secure: true }] }),
      tls: { ca: certificate.cert },
      drainTimeoutMs: 0,
      ...options,
    }),
  );

const inFlight = (mesh: Mesh) => mesh.explain("users")?.endpoints.reduce((sum, each) => sum + each.inFlight, 0);

/** Answers in two parts, a few milliseconds apart. */
const slowly: Answer = (stream, headers) => {
  stream.respond({ ":status": 200 });
  stream.write("first ");
  setTimeout(() => stream.end(`then ${headers[":path"]}`), 4);
};

/** A connection may be closed at the very moment of each new attempt: the server closes one every 30 ms. */
const patient: Partial<MeshOptions> = {
  breaker: false,
  attemptTimeoutMs: 5_000,
  retry: { maxAttempts: 10, baseDelayMs: 1, budget: { ratio: 1, minRetriesPerSecond: 10_000 } },
};

/** Calls without a pause while the server closes its sessions, each gracefully; no call may fail. */
async function callUnderClosing(mesh: Mesh, server: Http2TestServer): Promise<void> {
  let isDone = false;
  const closer = (async () => {
    while (!isDone) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      server.sessions.at(-1)?.close();
    }
  })();
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, async (_, worker) => {
      for (let index = 0; index < 40; index++) {
        const response = await mesh.fetch(`users/${worker}`, index % 2 === 0 ? { method: "POST", body: "content" } : {});
        expect(await response.text()).toBe(`first then /${worker}`);
      }
    }),
  );
  isDone = true;
  await closer;
  expect(outcomes.filter(({ status }) => status === "rejected")).toEqual([]);
  expect(server.sessions.length).toBeGreaterThan(1);
}

describe("HTTP/2 without TLS, by prior knowledge", () => {
  it("gets and posts over one connection", async () => {
    const bodies: string[] = [];
    const server = await serveHttp2((stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        bodies.push(Buffer.concat(chunks).toString());
        hello(stream, headers);
      });
    });
    const mesh = h2c(server.port);
    const answers = await Promise.all(Array.from({ length: 50 }, async (_, index) => (await mesh.fetch(`users/${index}?q`)).text()));
    expect(answers).toEqual(Array.from({ length: 50 }, (_, index) => `h2 GET /${index}?q`));
    const response = await mesh.fetch("users/p", { method: "POST", body: "content" });
    expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([200, "text/plain", "h2 POST /p"]);
    const stream = new Blob(["streamed"]).stream();
    await (await mesh.fetch("users/s", { method: "POST", body: stream, duplex: "half" })).text();
    expect(bodies.slice(-2)).toEqual(["content", "streamed"]);
    expect([server.sessions.length, inFlight(mesh)]).toEqual([1, 0]);
  });

  it("shows headers without the pseudo ones, and trailers", async () => {
    const server = await serveHttp2((stream) => {
      stream.respond({ ":status": 200, "x-a": "1", "set-cookie": ["a=1", "b=2"] }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-late": "yes" }));
      stream.end("body");
    });
    const mesh = h2c(server.port);
    const response = (await mesh.fetch("users/x")) as Response & { trailers: Headers };
    expect([response.headers.get("x-a"), response.headers.getSetCookie()]).toEqual(["1", ["a=1", "b=2"]]);
    expect([...response.headers].some(([name]) => name.startsWith(":"))).toBe(false);
    expect(await response.text()).toBe("body");
    expect(response.trailers.get("x-late")).toBe("yes");
    const reply = await mesh.request("users/x");
    await reply.body.text();
    expect({ ...reply.trailers }).toEqual({ "x-late": "yes" });
  });

  it("ends one stream, not the connection, when the caller gives up", async () => {
    const server = await serveHttp2((stream, headers) => {
      if (headers[":path"] === "/hang") return;
      hello(stream, headers);
    });
    const mesh = h2c(server.port);
    const controller = new AbortController();
    const call = rejectionOf(mesh.fetch("users/hang", { signal: controller.signal }));
    await until("it has arrived", () => server.streams.length === 1);
    controller.abort("mine");
    expect(await call).toBe("mine");
    expect(await (await mesh.fetch("users/x")).text()).toBe("h2 GET /x");
    expect([server.sessions[0]?.destroyed, inFlight(mesh)]).toEqual([false, 0]);
  });

  it("fails over to another instance when none listens, and when it speaks HTTP/1.1 only", async () => {
    const server = await serveHttp2();
    const old = await serve();
    const mesh = h2c([old.port, server.port], { attemptTimeoutMs: 500 });
    for (let index = 0; index < 3; index++) expect(await (await mesh.fetch("users/x")).text()).toBe("h2 GET /x");
  });

  it("sends a refused stream again, whatever its method", async () => {
    let refusals = 0;
    const server = await serveHttp2((stream, headers) => {
      if (refusals++ === 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else hello(stream, headers);
    });
    const mesh = h2c(server.port);
    expect(await (await mesh.fetch("users/p", { method: "POST", body: "content" })).text()).toBe("h2 POST /p");
    expect(server.streams).toEqual(["POST /p", "POST /p"]);
  });

  it("does not send a POST again whose stream was reset for another reason", async () => {
    const server = await serveHttp2((stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    const mesh = h2c(server.port);
    const error = await rejectionOf(mesh.fetch("users/p", { method: "POST", body: "content" }));
    expect(error).toMatchObject({ code: "ERR_MESH_PROTOCOL", maybeExecuted: true, attempts: { length: 1 } });
    expect(server.streams).toHaveLength(1);
  });

  it("loses neither a POST nor a body under way when the server closes its sessions gracefully under load", async () => {
    const mine = await serveHttp2(slowly);
    const mesh = h2c(mine.port, patient);
    await callUnderClosing(mesh, mine);
    expect(inFlight(mesh)).toBe(0);
  });

  it("sends no POST a second time when the session is closed with several under way, and says that they may have been executed", async () => {
    const server = await serveHttp2(() => {});
    const mesh = h2c(server.port, { breaker: false });
    const calls = Array.from({ length: 6 }, (_, index) => rejectionOf(mesh.fetch(`users/${index}`, { method: "POST", body: "content" })));
    await until("all have arrived", () => server.streams.length === 6);
    server.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR);
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ name: "MeshError", maybeExecuted: true });
    await until("nothing is in flight", () => inFlight(mesh) === 0);
    expect(server.streams).toHaveLength(6);
  });
});

describe("HTTP/2 over TLS", () => {
  it.each(["h2", "auto"] as const)(
    "is spoken with protocol %j by an instance that chooses it, many requests on few connections",
    async (protocol) => {
      const server = await serveHttp2((stream, headers) => setTimeout(() => hello(stream, headers), 20), true);
      const mesh = secure(server.port, { protocol });
      expect(await (await mesh.fetch("users/first")).text()).toBe("h2 GET /first");
      const answers = await Promise.all(Array.from({ length: 50 }, async (_, index) => (await mesh.fetch(`users/${index}`)).text()));
      expect(new Set(answers).size).toBe(50);
      expect(server.sessions).toHaveLength(1);
      expect(inFlight(mesh)).toBe(0);
    },
  );

  it.each(["h2", "auto"] as const)("loses nothing with protocol %j when the server closes its sessions under load", async (protocol) => {
    const server = await serveHttp2(slowly, true);
    const mesh = secure(server.port, { protocol, ...patient });
    await callUnderClosing(mesh, server);
    expect(inFlight(mesh)).toBe(0);
  });

  it("is not spoken with protocol h1, nor by default, to an instance that could", async () => {
    const server = await serveHttp2(hello, true, true);
    await rejectionOf(secure(server.port, { retry: false, attemptTimeoutMs: 300 }).fetch("users/x"));
    expect(server.sessions).toHaveLength(0);
  });

  it("is not spoken with protocol auto to an instance that chooses HTTP/1.1: one request at a time per connection", async () => {
    let busiest = 0;
    const busy = new Map<unknown, number>();
    const server = createTlsServer(certificate, (request, response) => {
      const count = (busy.get(request.socket) ?? 0) + 1;
      busy.set(request.socket, count);
      busiest = Math.max(busiest, count);
      // undici pipelines behind a response head at the earliest.
      response.flushHeaders();
      setTimeout(() => {
        busy.set(request.socket, (busy.get(request.socket) ?? 0) - 1);
        response.end(`HTTP/${request.httpVersion}`);
      }, 5);
    });
    const mesh = secure(await listening(server), { protocol: "auto", connections: { max: 2 } });
    const answers = await Promise.all(Array.from({ length: 20 }, async () => (await mesh.fetch("users/x")).text()));
    expect([[...new Set(answers)], busiest]).toEqual([["HTTP/1.1"], 1]);
  });

  it("is insisted on with protocol h2", async () => {
    const server = createTlsServer(certificate, (_request, response) => response.end());
    const mesh = secure(await listening(server), { protocol: "h2", retry: false });
    expect(await rejectionOf(mesh.fetch("users/x"))).toMatchObject({
      name: "MeshError",
      maybeExecuted: false,
      message: expect.stringContaining("HTTP/2"),
    });
  });

  it("of auto is HTTP/1.1 to an instance without TLS", async () => {
    const server = await serve((request, response) => response.end(`HTTP/${request.httpVersion}`));
    expect(await (await meshOf({ users: server.port }, { protocol: "auto" }).fetch("users/x")).text()).toBe("HTTP/1.1");
  });

  it("can be had for one service", async () => {
    const two = await serveHttp2();
    const one = await serve((request, response) => response.end(`HTTP/${request.httpVersion}`));
    const mesh = meshOf({ users: two.port, orders: one.port }, { services: { users: { protocol: "h2" } } });
    expect(await (await mesh.fetch("users/x")).text()).toBe("h2 GET /x");
    expect(await (await mesh.fetch("orders/x")).text()).toBe("HTTP/1.1");
  });
});
