import { createServer as createTlsServer } from "node:https";
import type { TLSSocket } from "node:tls";
import { fetch as undiciFetch } from "undici";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { ListedEndpoint } from "../../src/discovery/file/service-list.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { certificate } from "../support/certificate.ts";
import { type DoorCall, doorNames, doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

const named = vi.hoisted(() => ({ addresses: {} as Record<string, string> }));

vi.mock("node:dns", async (original) => {
  const dns = await original<typeof import("node:dns")>();
  const lookup = (host: string, options: object, callback: (error: null, found: object[]) => void) => {
    const address = named.addresses[host];
    if (address === undefined) return dns.lookup(host, options, callback as never);
    process.nextTick(callback, null, [{ address, family: 4 }]);
  };
  return { ...dns, lookup, default: { ...dns, lookup } };
});

/** A request as an instance with TLS has seen it. */
interface Seen {
  readonly host: string | undefined;
  readonly sni: string | false;
  readonly path: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly isResumed: boolean;
}

const upgraded = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";

/** An instance with TLS, for 127.0.0.1 and eureka.test, that closes each connection after its answer. */
async function secureInstance(answer: Readonly<Record<string, string>> = {}) {
  const seen: Seen[] = [];
  const server = createTlsServer(certificate, (request, response) => {
    note(request);
    response.writeHead(200, { connection: "close", ...answer }).end("secret");
  });
  const note = (request: import("node:http").IncomingMessage) => {
    const socket = request.socket as TLSSocket & { servername: string | false };
    const { host, ...headers } = request.headers;
    seen.push({ host, sni: socket.servername, path: request.url, headers, isResumed: socket.isSessionReused() });
  };
  server.on("upgrade", (request, socket) => {
    note(request);
    socket.end(upgraded);
  });
  server.on("tlsClientError", () => {});
  return { port: await listening(server), seen };
}

/** An instance without TLS that keeps all bytes. */
async function plainInstance(head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", status?: string) {
  return serveRaw((socket, request) => {
    if (/\r\nupgrade: /i.test(request) && status === undefined) socket.end(upgraded);
    else socket.end(`${head}connection: close\r\n\r\nplain`);
  });
}

function meshTo(endpoints: readonly ListedEndpoint[], options: Partial<MeshOptions> = {}): Mesh {
  const parts = { discovery: staticDiscovery({ svc: endpoints }), retry: false, drainTimeoutMs: 0, tls: { ca: certificate.cert } } as const;
  return closing(createMesh({ ...parts, ...options }));
}

const host = "127.0.0.1";

describe.each(doorNames)("through %s", (name) => {
  const door = doors[name];
  const call = (mesh: Mesh, given: DoorCall = {}) => door(mesh, given);

  it("a target with https: or wss: fails before a connection is made where no instance speaks TLS", async () => {
    const plain = await plainInstance();
    const mesh = meshTo([{ host, port: plain.port }]);
    const error = await rejectionOf(call(mesh, { scheme: "https", headers: { authorization: "Bearer canary" } }));
    expect(error).toMatchObject({ code: "ERR_MESH_INVALID_TARGET", maybeExecuted: false });
    expect(plain.received).toEqual([]);
    expect(mesh.explain("svc")?.endpoints[0]).toMatchObject({ attempts: 0, failures: 0, state: "available" });
  });

  it("a target with https: or wss: goes to the instances that speak TLS only", async () => {
    const [plain, secure] = [await plainInstance(), await secureInstance()];
    const mesh = meshTo([
      ...Array.from({ length: 8 }, (_, index) => ({ id: `p${index}`, host, port: plain.port })),
      { id: "secure", host, port: secure.port, secure: true },
    ]);
    for (let count = 0; count < 4; count++) await call(mesh, { scheme: "https" });
    expect([secure.seen.length, plain.received]).toEqual([4, []]);
    expect(mesh.eject("svc", "secure", { forMs: 60_000 })).toBe(true);
    await call(mesh, { scheme: "https" });
    expect([secure.seen.length, plain.received]).toEqual([5, []]);
  });

  it("peer.mode strict is TLS whatever discovery says, and off is none", async () => {
    const [plain, secure] = [await plainInstance(), await secureInstance()];
    const strict = meshTo([{ host, port: secure.port }], { peer: { mode: "strict" } });
    await call(strict);
    expect(secure.seen).toHaveLength(1);
    const poisoned = meshTo([{ host, port: plain.port }], { peer: { mode: "strict" } });
    await rejectionOf(call(poisoned, { headers: { authorization: "Bearer canary" } }));
    expect(plain.received.join("")).not.toContain("canary");
    const off = meshTo([{ host, port: plain.port, secure: true }], { peer: { mode: "off" } });
    await call(off);
    expect(plain.received.join("")).toContain("HTTP/1.1");
  });

  it("peer.name is the host header, the name in the handshake and that of the certificate", async () => {
    const secure = await secureInstance();
    const to = { host, port: secure.port, secure: true };
    await call(meshTo([to], { peer: { name: "eureka.test" }, tls: { ca: certificate.cert, serverName: "other.test" } }));
    expect(secure.seen).toMatchObject([{ host: "eureka.test", sni: "eureka.test" }]);
    await rejectionOf(call(meshTo([to], { peer: { name: "another.test" } })));
    expect(secure.seen).toHaveLength(1);
  });

  it("a host name is asked for in the handshake, and must be in the certificate", async () => {
    const secure = await secureInstance();
    named.addresses = { "eureka.test": host, "another.test": host };
    await call(meshTo([{ host: "eureka.test", port: secure.port, secure: true }]));
    expect(secure.seen).toMatchObject([{ sni: "eureka.test" }]);
    const mesh = meshTo([{ host: "another.test", port: secure.port, secure: true }]);
    await rejectionOf(call(mesh));
    expect(secure.seen).toHaveLength(1);
    await until("one refused handshake is enough", () => mesh.explain("svc")?.endpoints[0]?.state === "ejected");
  });

  it("each connection verifies the certificate: no session is resumed", async () => {
    const secure = await secureInstance();
    const mesh = meshTo([{ host, port: secure.port, secure: true }]);
    for (let count = 0; count < 3; count++) await call(mesh);
    expect(secure.seen.map(({ isResumed }) => isResumed)).toEqual([false, false, false]);
  });

  it("a certificate is verified whatever NODE_TLS_REJECT_UNAUTHORIZED says", async () => {
    const secure = await secureInstance();
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    onTestFinished(() => void vi.unstubAllEnvs());
    await rejectionOf(call(meshTo([{ host, port: secure.port, secure: true }], { tls: {} })));
    expect(secure.seen).toEqual([]);
  });

  it.each(["-admin/x", "admin", "?x", "http://other/x", "@other/x", ":80/x", "/a/../b", "/a\\b", "/a b", ""])(
    "the path %j is refused",
    async (path) => {
      const plain = await plainInstance();
      const mesh = meshTo([{ host, port: plain.port }]);
      // These take a target in one part, in which a path may begin with a query; node:http makes "/" of no path.
      if ((name === "fetch" || name === "request") && path === "?x") return;
      if (name !== "dispatcher" && name !== "upgrade" && path === "") return;
      await rejectionOf(call(mesh, { path }));
      expect(plain.received).toEqual([]);
    },
  );

  it("the headers of the mesh are not taken from the caller, and end with the answer", async () => {
    const plain = await plainInstance("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX-Mesh-Refused: 1\r\nx-other: kept\r\n");
    const own = { "x-mesh-deadline-ms": "99999999", "X-Mesh-Attempt": "7", "x-mesh-refused": "1", "x-other": "kept" };
    const answer = await call(meshTo([{ host, port: plain.port }], { propagateDeadline: false }), { headers: own });
    expect(plain.received.join("")).toMatch(/x-other: kept/i);
    expect(plain.received.join("")).not.toMatch(/x-mesh/i);
    expect(JSON.stringify(answer.headers)).not.toMatch(/x-mesh/i);
    if (name !== "upgrade") expect(answer.headers).toMatchObject({ "x-other": "kept" });
  });

  it("a name that resolves to no address of an instance is not connected to", async () => {
    const plain = await plainInstance();
    // It is this machine, in place of 169.254.169.254.
    named.addresses = { "bad.test": "0.0.0.0", "good.test": host };
    await rejectionOf(call(meshTo([{ host: "bad.test", port: plain.port }])));
    for (const to of [host, "good.test"])
      await rejectionOf(call(meshTo([{ host: to, port: plain.port }], { connections: { refusedAddresses: ["loopback"] } })));
    expect(plain.received).toEqual([]);
    await call(meshTo([{ host: "good.test", port: plain.port }], { connections: { refusedAddresses: ["private"] } }));
    expect(plain.received).toHaveLength(1);
  });
});

describe("a redirect", () => {
  const redirecting = (location: (port: number) => string) => async () => {
    const server = await serveRaw((socket, head) => {
      if (head.startsWith("GET /end")) socket.end("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nend");
      else socket.end(`HTTP/1.1 302 Found\r\nlocation: ${location(server.port)}\r\ncontent-length: 0\r\n\r\n`);
    });
    return server.port;
  };

  it.each<[what: string, location: (port: number) => string]>([
    ["a path", () => "/end?x=1"],
    ["the service", () => "http://svc/end"],
    ["the instance", (port) => `http://127.0.0.1:${port}/end?x=1#part`],
    ["the name of the service", () => "http://svc.internal/end"],
  ])("to %s is followed by mesh.fetch and through the dispatcher", async (_what, location) => {
    const port = await redirecting(location)();
    const mesh = meshTo([{ host, port }], { peer: { name: "svc.internal" } });
    expect(await (await mesh.fetch("svc/x", { redirect: "follow" })).text()).toBe("end");
    const response = await undiciFetch("http://svc/x", { dispatcher: mesh.dispatcher() });
    expect([await response.text(), new URL(response.url).host]).toEqual(["end", "svc"]);
    // Clients of the agent follow redirects themselves.
    const { headers } = await doors.agent(mesh, { path: "/x" });
    const next = new URL(String(headers["location"]), "http://svc/x");
    expect([next.host, next.pathname]).toEqual(["svc", "/end"]);
  });

  it.each(["mesh://svc/a\\b", "mesh:svc/x", "http://svc@evil/x", "http://svc-admin/x", "http://127.0.0.1:1/x"])(
    "to %s is not followed by mesh.fetch",
    async (location) => {
      const port = await redirecting(() => location)();
      const error = await rejectionOf(meshTo([{ host, port }]).fetch("svc/x", { redirect: "follow" }));
      expect(error).toMatchObject({ code: "ERR_MESH_PROTOCOL" });
    },
  );

  it("from outside of the mesh does not lead into it", async () => {
    const inner = await plainInstance();
    const outside = await serveRaw((socket) =>
      socket.end("HTTP/1.1 302 Found\r\nlocation: http://svc/internal\r\ncontent-length: 0\r\n\r\n"),
    );
    const mesh = meshTo([{ host, port: inner.port }]);
    const dispatcher = mesh.dispatcher({ passThrough: (origin) => origin.startsWith("http://127.0.0.1") });
    const url = `http://127.0.0.1:${outside.port}/preview`;
    const error = await rejectionOf(undiciFetch(url, { dispatcher }));
    expect(error).toMatchObject({
      cause: { code: "ERR_MESH_PROTOCOL", message: expect.stringContaining("which is a service of the mesh") },
    });
    await rejectionOf(dispatcher.request({ origin: `http://127.0.0.1:${outside.port}`, path: "/preview", method: "GET" }));
    expect(inner.received).toEqual([]);
  });
});
