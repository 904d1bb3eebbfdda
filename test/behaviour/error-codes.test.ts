import { createServer } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { MeshError, type MeshErrorCode } from "../../src/core/errors.ts";
import type { IdentitySource } from "../../src/identity/identity-source.ts";
import type { Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { memoryRegistry } from "../../src/testing/memory-registry.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { closedPort, listening, serve, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** One case of a code, and the promises of its error. */
interface Promised {
  /** The call that rejects, and what its instances saw by then. */
  run(): Promise<{ readonly error: unknown; readonly sent?: readonly string[] }>;
  readonly maybeExecuted: boolean;
  /** Number of attempts that the error lists. */
  readonly attempts?: number;
  readonly says?: string;
}

const ok = "HTTP/1.1 200 OK\r\n";
const post = { method: "POST", body: "b" } as const;
const once = { retry: false, breaker: false } as const;

const errorOf = async (mesh: Mesh, init: Parameters<Mesh["fetch"]>[1] = {}) => ({
  error: await rejectionOf(mesh.fetch("orders/x", init).then((response) => response.text())),
});

/** Discovery that never answers. */
const unanswered = {
  async *watch(_service: string, signal: AbortSignal) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    yield [];
  },
};

/** The instance answers with these bytes and ends the connection. */
async function answered(bytes: string | Buffer, options: Partial<MeshOptions> = {}, init: Parameters<Mesh["fetch"]>[1] = post) {
  const { port } = await serveRaw((socket) => socket.end(bytes));
  return errorOf(meshOf({ orders: port }, { ...once, ...options }), init);
}

/** Two calls at once, of which the second one is refused; the first goes on until the end of the test. */
async function secondOf(options: Partial<MeshOptions>, services: readonly string[] = ["orders", "orders"]) {
  const server = await serve(() => {});
  const mesh = meshOf(Object.fromEntries(services.map((name) => [name, server.port])), { ...once, ...options });
  mesh.fetch(`${services[0]}/first`).catch(() => {});
  await until("the first call is in flight", () => server.begun.length === 1);
  return { error: await rejectionOf(mesh.fetch(`${services[1]}/second`)), sent: server.begun.slice(1) };
}

/** The promises of each code, case by case. */
const promises: Readonly<Record<MeshErrorCode, Readonly<Record<string, Promised>>>> = {
  ERR_MESH_INVALID_TARGET: {
    "nothing is looked up": {
      async run() {
        const asked: string[] = [];
        const discovery = {
          async *watch(service: string) {
            asked.push(service);
            yield [];
          },
        };
        const error = await rejectionOf(meshOf({}, { discovery }).fetch("10.0.0.1/x" as "orders"));
        return { error, sent: asked };
      },
      maybeExecuted: false,
    },
  },
  ERR_MESH_NO_ENDPOINTS: {
    "discovery lists none": { run: () => errorOf(meshOf({ orders: [] })), maybeExecuted: false, says: "listed none" },
    "discovery has not answered": {
      run: () => errorOf(meshOf({}, { discovery: unanswered, discoveryTimeoutMs: 20 })),
      maybeExecuted: false,
      says: "it has not answered yet",
    },
    "discovery has not answered within the deadline": {
      run: () => errorOf(meshOf({}, { discovery: unanswered, timeoutMs: 20 })),
      maybeExecuted: false,
      attempts: 0,
      says: "(timeoutMs)",
    },
  },
  // Each of its limits is in time-limits.test.ts.
  ERR_MESH_TIMEOUT: {
    "the request was sent": {
      async run() {
        const server = await serve(() => {});
        return errorOf(meshOf({ orders: server.port }, { ...once, timeoutMs: 50 }));
      },
      maybeExecuted: true,
      attempts: 1,
      says: "(timeoutMs)",
    },
    "nothing was sent": {
      run: () => errorOf(meshOf({ orders: 1 }, { interceptors: [() => () => new Promise(() => {})], timeoutMs: 20 })),
      maybeExecuted: false,
      attempts: 0,
      says: "(timeoutMs)",
    },
  },
  ERR_MESH_CIRCUIT_OPEN: {
    "no instance is tried": {
      async run() {
        const server = await serve((_request, response) => response.writeHead(503).end());
        const mesh = meshOf({ orders: server.port }, { retry: false, breaker: { minCalls: 5 } });
        for (let call = 0; call < 5; call++) await (await mesh.fetch("orders/x")).text();
        const before = server.begun.length;
        return { error: await rejectionOf(mesh.fetch("orders/x")), sent: server.begun.slice(before) };
      },
      maybeExecuted: false,
      attempts: 0,
    },
  },
  ERR_MESH_OVERLOADED: {
    "the limit of a service, with a full queue": {
      run: () => secondOf({ concurrency: { maxInFlight: 1, maxQueued: 0 } }),
      maybeExecuted: false,
      attempts: 0,
      says: "(concurrency.maxInFlight): 0 wait already (concurrency.maxQueued)",
    },
    "the limit of a service, after a wait": {
      run: () => secondOf({ concurrency: { maxInFlight: 1, queueTimeoutMs: 10 } }),
      maybeExecuted: false,
      attempts: 0,
      says: "(concurrency.maxInFlight): it has waited for 10 ms (concurrency.queueTimeoutMs)",
    },
    "the limit of a service, when its place is given to a call of a higher priority": {
      async run() {
        const server = await serve(() => {});
        const mesh = meshOf({ orders: server.port }, { ...once, concurrency: { maxInFlight: 1, maxQueued: 1 } });
        mesh.fetch("orders/first").catch(() => {});
        await until("the first call is in flight", () => server.begun.length === 1);
        const low = rejectionOf(mesh.fetch("orders/low", { mesh: { priority: "low" } }));
        mesh.fetch("orders/high", { mesh: { priority: "high" } }).catch(() => {});
        return { error: await low, sent: server.begun.slice(1) };
      },
      maybeExecuted: false,
      attempts: 0,
      says: "(concurrency.maxInFlight): its place in the queue was given to a call of a higher priority",
    },
    "the limit of every instance": {
      run: () => secondOf({ concurrency: { maxInFlightPerInstance: 1, maxQueued: 0 } }),
      maybeExecuted: false,
      attempts: 0,
      says: "(concurrency.maxInFlightPerInstance): 0 wait already (concurrency.maxQueued)",
    },
    "the throttle": {
      async run() {
        const server = await serve((_request, response) => response.writeHead(503).end());
        const mesh = meshOf({ orders: server.port }, { ...once, throttle: { ratio: 1 }, random: () => 0 });
        await (await mesh.fetch("orders/x")).text();
        return { error: await rejectionOf(mesh.fetch("orders/x")), sent: server.begun.slice(1) };
      },
      maybeExecuted: false,
      attempts: 0,
      says: "(throttle)",
    },
    "the limit of services": {
      run: () => secondOf({ maxServices: 1 }, ["orders", "users"]),
      maybeExecuted: false,
      attempts: 0,
      says: "(maxServices)",
    },
    "a retry that is refused, after an attempt that may have been executed": {
      async run() {
        const server = await serve((request, response) => {
          if (request.url === "/first") request.socket.destroy();
          else if (request.url === "/second") response.writeHead(200).flushHeaders();
        });
        const mesh = meshOf(
          { orders: server.port },
          {
            breaker: false,
            retry: { baseDelayMs: 500, maxDelayMs: 500 },
            concurrency: { maxInFlight: 1, maxQueued: 0 },
            random: () => 1,
          },
        );
        const first = rejectionOf(mesh.fetch("orders/first"));
        await until("the first attempt has been read", () => server.begun.length === 1);
        // In the pause before the retry, which holds no place.
        await until("another call has the place", () =>
          mesh.fetch("orders/second").then(
            () => true,
            () => false,
          ),
        );
        return { error: await first };
      },
      maybeExecuted: true,
      attempts: 1,
      says: "(concurrency.maxInFlight)",
    },
  },
  ERR_MESH_RETRY_EXHAUSTED: {
    "its cause is the error of the last attempt": {
      run: async () => errorOf(meshOf({ orders: [await closedPort(), await closedPort()] }, { retry: { maxAttempts: 2 } }), post),
      maybeExecuted: false,
      attempts: 2,
    },
  },
  ERR_MESH_CONNECT: {
    "nothing listens": {
      run: async () => errorOf(meshOf({ orders: await closedPort() }, once), post),
      maybeExecuted: false,
      attempts: 1,
    },
  },
  ERR_MESH_TLS_PEER: {
    "the instance speaks no TLS": {
      async run() {
        const requests: string[] = [];
        const server = await serve((request) => void requests.push(request.url ?? ""));
        const discovery = {
          async *watch() {
            yield [{ id: "a", host: "127.0.0.1", port: server.port, secure: true }];
          },
        };
        return { ...(await errorOf(meshOf({}, { discovery, ...once }), post)), sent: requests };
      },
      maybeExecuted: false,
      attempts: 1,
    },
  },
  ERR_MESH_PROTOCOL: {
    "the connection ends": { run: () => answered(""), maybeExecuted: true, attempts: 1 },
    "the answer is not HTTP": { run: () => answered("SSH-2.0-OpenSSH_9.2\r\n"), maybeExecuted: true, attempts: 1 },
    "a redirect is refused": {
      run: () => answered("HTTP/1.1 302 Found\r\nlocation: /y\r\ncontent-length: 0\r\n\r\n", {}, { redirect: "error" }),
      maybeExecuted: true,
      attempts: 1,
    },
    "a redirect leads out of the service": {
      run: () => answered("HTTP/1.1 302 Found\r\nlocation: http://elsewhere/y\r\ncontent-length: 0\r\n\r\n", {}, { redirect: "follow" }),
      maybeExecuted: true,
      attempts: 1,
      says: "leads out of the service",
    },
    "an upgrade is answered without one": {
      async run() {
        const server = createServer((_request, response) => response.end("no"));
        const mesh = meshOf({ orders: await listening(server) }, once);
        const asked = mesh.dispatcher().upgrade({ origin: "http://orders", path: "/x", protocol: "websocket" } as never);
        return { error: await rejectionOf(asked as Promise<unknown>) };
      },
      maybeExecuted: true,
      attempts: 1,
    },
  },
  ERR_MESH_BODY: {
    "the response is cut off": { run: () => answered(`${ok}content-length: 10\r\n\r\nabc`), maybeExecuted: true, attempts: 1 },
    "the response does not decode": {
      run: () => answered(`${ok}content-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc`),
      maybeExecuted: true,
      says: "it does not decode",
    },
    "the response decodes to too much": {
      run: () => {
        const body = gzipSync(Buffer.alloc(1_000));
        const head = `${ok}content-encoding: gzip\r\ncontent-length: ${body.byteLength}\r\n\r\n`;
        return answered(Buffer.concat([Buffer.from(head), body]), { maxCollectedBytes: 100 });
      },
      maybeExecuted: true,
      says: "it is larger than 100 bytes",
    },
    "the response ends with its connection": {
      run: () => answered(`${ok}\r\nabc`, { requireDelimitedBody: true }),
      maybeExecuted: true,
      attempts: 1,
      says: "(requireDelimitedBody)",
    },
    "the request body cannot be read": {
      async run() {
        const server = await serve();
        const body = async function* () {
          yield "begun";
          throw new Error("unreadable");
        };
        return errorOf(meshOf({ orders: server.port }, once), { method: "POST", body, duplex: "half" });
      },
      maybeExecuted: true,
      attempts: 1,
      says: "the request body could not be read",
    },
  },
  ERR_MESH_ROUTE: {
    "a rule makes a path that is not sent": {
      run: () =>
        errorOf(
          meshOf(
            { orders: 1 },
            { routes: [{ match: { path: { prefix: "/" } }, rewrite: { pattern: { pattern: "^/(.*)$", with: "//$1" } } }] },
          ),
        ),
      maybeExecuted: false,
      attempts: 0,
      says: "begins with //",
    },
    "there are no routes within the deadline": {
      run: () => errorOf(meshOf({ orders: 1 }, { routes: { name: "nowhere", watch: () => () => {} }, timeoutMs: 20 })),
      maybeExecuted: false,
      attempts: 0,
      says: "nowhere, it has told of none yet",
    },
  },
  ERR_MESH_FORBIDDEN: {
    "authorize refuses": {
      run: () => errorOf(meshOf({ orders: 1 }, { authorize: () => false })),
      maybeExecuted: false,
      attempts: 0,
      says: "authorize refused it",
    },
    "an interceptor refuses": {
      run: () => {
        const refuse = () => () => Promise.reject(new MeshError("ERR_MESH_FORBIDDEN", "read-only", { maybeExecuted: false }));
        return errorOf(meshOf({ orders: 1 }, { interceptors: [refuse] }));
      },
      maybeExecuted: false,
      attempts: 0,
    },
  },
  ERR_MESH_TOKEN: {
    "the provider of a token fails": {
      run: () => errorOf(meshOf({ orders: 1 }, { token: { provider: () => Promise.reject(new Error("secret")) } })),
      maybeExecuted: false,
      attempts: 0,
    },
  },
  // It takes a process without descriptors: local-resources.test.ts.
  ERR_MESH_LOCAL_RESOURCE: {},
  ERR_MESH_IDENTITY: {
    "the identity was withdrawn": {
      async run() {
        const server = await serve(() => {});
        const identity: IdentitySource = {
          name: "test",
          watch(listener) {
            queueMicrotask(() => listener.withdraw(new Error("there is none for this process")));
            return { close() {} };
          },
        };
        return errorOf(meshOf({ orders: server.port }, { ...once, identity, peer: { mode: "strict" } }));
      },
      maybeExecuted: false,
      attempts: 1,
      says: "there is none for this process",
    },
  },
  ERR_MESH_DISCOVERY: {
    "a registry fails, and calls learn it by the cause of another error": {
      async run() {
        const failing = {
          async *watch() {
            yield* [];
            throw new MeshError("ERR_MESH_DISCOVERY", "the registry is down");
          },
        };
        const { error } = await errorOf(meshOf({}, { discovery: failing, discoveryTimeoutMs: 50 }));
        expect(error).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS", maybeExecuted: false });
        return { error: (error as Error).cause };
      },
      maybeExecuted: false,
    },
  },
  ERR_MESH_REGISTRATION: {
    "a registry fails": {
      async run() {
        const registry = memoryRegistry();
        registry.fail();
        const mesh = meshOf({}, { discovery: registry });
        return { error: await rejectionOf(mesh.register({ service: "orders", host: "10.0.0.1", port: 80 })) };
      },
      maybeExecuted: false,
    },
  },
  ERR_MESH_CLOSED: {
    "a call after close()": {
      async run() {
        const mesh = meshOf({ orders: 1 });
        await mesh.close();
        return errorOf(mesh);
      },
      maybeExecuted: false,
      attempts: 0,
    },
    "a call that close() ends": {
      async run() {
        const server = await serve(() => {});
        const mesh = meshOf({ orders: server.port }, { ...once, drainTimeoutMs: 0 });
        const error = rejectionOf(mesh.fetch("orders/x"));
        await until("the call is in flight", () => server.begun.length === 1);
        await mesh.close();
        return { error: await error };
      },
      maybeExecuted: true,
      attempts: 1,
    },
  },
};

describe("what an error promises", () => {
  const cases = Object.entries(promises).flatMap(([code, byCase]) =>
    Object.entries(byCase).map(([name, promised]) => [code, name, promised] as const),
  );

  it.each(cases)("%s: %s", async (code, _name, { run, maybeExecuted, attempts, says }) => {
    const { error, sent = [] } = await run();
    expect(error).toBeInstanceOf(MeshError);
    const found = error as MeshError;
    expect([found.code, found.maybeExecuted, sent]).toEqual([code, maybeExecuted, []]);
    if (attempts !== undefined) expect(found.attempts).toHaveLength(attempts);
    if (says !== undefined) expect(found.message).toContain(says);
    if (code === "ERR_MESH_RETRY_EXHAUSTED") expect(found.cause).toMatchObject({ code: "ERR_MESH_CONNECT" });
  });
});
