import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import {
  createServer as createHttp2,
  createSecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTls } from "node:tls";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { Cancellation } from "../../../src/core/cancellation.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { Protocol } from "../../../src/core/connection-options.ts";
import { settleWire } from "../../../src/core/connection-options.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { describeError } from "../../../src/core/errors.ts";
import { healthCheckProbe } from "../../../src/rotation/health/health-check.ts";
import type { OpenConnection } from "../../../src/rotation/health/health-check-connection.ts";
import type { HealthCheckOptions } from "../../../src/rotation/health/health-check-options.ts";
import { testUpstream } from "../../../src/testing/request.ts";
import { type ClientIdentity, staticIdentity } from "../../../src/wire/identity/client-identity.ts";
import { InstanceConnector } from "../../../src/wire/instance-connector.ts";
import { certificate } from "../../support/certificate.ts";
import { closedPort, serve, serveRaw } from "../../support/servers.ts";
import { until } from "../../support/until.ts";

const tls = staticIdentity({ ca: certificate.cert });

/** Opens connections as the checks of a service do. */
function opening(identity: ClientIdentity): OpenConnection {
  const connector = new InstanceConnector({ identity, clock: systemClock });
  return (upstream, alpn, opened) => connector.open(upstream, settleWire({}), { alpn, isForRequests: false }, opened);
}

/** Checks once: `passed`, or why not. */
async function check(
  options: HealthCheckOptions,
  endpoint: Partial<Endpoint>,
  protocol: Protocol = "h1",
  timeoutMs = 2_000,
): Promise<string> {
  const cancellation = new Cancellation();
  const timer = setTimeout(() => cancellation.cancel(new Error("timed out")), timeoutMs);
  try {
    await healthCheckProbe(options, { protocol, open: opening(tls) })(testUpstream(endpoint), cancellation);
    return "passed";
  } catch (error) {
    return describeError(error);
  } finally {
    clearTimeout(timer);
  }
}

async function listening<S extends Server | Http2Server>(
  server: S,
  on?: string,
): Promise<{ readonly port: number; readonly open: () => number }> {
  const sockets = new Set<{ destroy(): unknown }>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  server.on("tlsClientError", () => {});
  server.on("sessionError", () => {});
  await new Promise<void>((resolve) => void (on === undefined ? server.listen(0, "127.0.0.1", resolve) : server.listen(on, resolve)));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  return { port: on === undefined ? (server.address() as AddressInfo).port : 0, open: () => sockets.size };
}

const http: HealthCheckOptions = { type: "http", path: "/health?deep=1" };

describe("an HTTP check", () => {
  it("passes when the instance answers 2xx, asks for the path, says who asks and leaves no connection", async () => {
    const seen: unknown[] = [];
    const { port, open } = await listening(
      createServer((request, response) => {
        seen.push([request.method, request.url, request.headers["user-agent"], request.headers.host]);
        response.statusCode = 204;
        response.end();
      }),
    );
    expect(await check(http, { port })).toBe("passed");
    expect(seen).toEqual([["GET", "/health?deep=1", "inmesh-health-check", `127.0.0.1:${port}`]]);
    await until("the connection is closed", () => open() === 0);
  });

  for (const status of [100 + 99, 301, 404, 500, 503]) {
    it(`fails on ${status}`, async () => {
      const { port } = await serveRaw((socket) => socket.end(`HTTP/1.1 ${status} X\r\ncontent-length: 0\r\n\r\n`));
      const result = await check(http, { port }, "h1", 300);
      expect(result).toBe(status < 200 ? "ECONNRESET: socket hang up" : `it answered ${status}`);
    });
  }

  it("passes on the statuses it is told", async () => {
    let status = 0;
    const { port } = await serve((_request, response) => {
      response.statusCode = status;
      response.end();
    });
    const results: string[] = [];
    for (status of [200, 207, 299, 300, 404, 429, 500])
      results.push(await check({ type: "http", path: "/", expectedStatuses: [200, [300, 404], 429] }, { port }));
    expect(results).toEqual(["passed", "it answered 207", "it answered 299", "passed", "passed", "passed", "it answered 500"]);
  });

  it("does not follow a redirect: whoever answers it is not asked", async () => {
    const other = await serve();
    const { port } = await serve((_request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${other.port}/` });
      response.end();
    });
    expect([await check(http, { port }), other.begun]).toEqual(["it answered 302", []]);
  });

  it("fails where nobody listens, the name is unknown, or the connection breaks or says nonsense", async () => {
    expect(await check(http, { port: await closedPort() })).toContain("ECONNREFUSED");
    expect(await check(http, { host: "no-such-host.invalid" })).toMatch(/ENOTFOUND|EAI_AGAIN/);
    const silent = await serveRaw((socket) => socket.end());
    expect(await check(http, { port: silent.port })).toContain("socket hang up");
    const reset = await serveRaw((socket) => socket.resetAndDestroy());
    expect(await check(http, { port: reset.port })).toContain("ECONNRESET");
    const nonsense = await serveRaw((socket) => socket.end("SSH-2.0-OpenSSH\r\n"));
    expect(await check(http, { port: nonsense.port })).toContain("HPE_");
    const upgrading = await serveRaw((socket) => socket.write("HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"));
    expect(await check(http, { port: upgrading.port })).toBe("it changed the protocol");
    const cut = await serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
    expect(await check(http, { port: cut.port })).toMatch(/aborted|closed before the answer was complete/);
  });

  it("fails when the answer does not come, or does not end, and closes the connection then", async () => {
    for (const answer of ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"]) {
      const { port, sockets } = await serveRaw((socket) => void (answer === "" || socket.write(answer)));
      expect(await check(http, { port }, "h1", 100)).toBe("timed out");
      await until("it is closed", () => sockets.every((socket) => socket.destroyed || socket.readableEnded));
    }
  });

  it("reads no body without end", async () => {
    const server = await serve((_request, response) => {
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) {}
      };
      response.on("drain", write);
      write();
    });
    expect(await check(http, { port: server.port })).toBe("passed");
    await until("the connection is closed", () => server.abandoned === 1);
  });

  it("goes to a Unix socket", async () => {
    const directory = await mkdtemp(join(tmpdir(), "mesh-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const socketPath = join(directory, "a.sock");
    await listening(
      createServer((_request, response) => response.end()),
      socketPath,
    );
    expect(await check(http, { port: await closedPort(), socketPath })).toBe("passed");
  });
});

describe("over TLS and HTTP/2", () => {
  const answer = (request: { httpVersion: string }, response: { end(text: string): unknown }) => response.end(request.httpVersion);
  const http1 = () => listening(createHttps({ ...certificate, ALPNProtocols: ["http/1.1"] }, answer));
  const both = () => listening(createSecureServer({ ...certificate, allowHTTP1: true }, answer as never));
  const http2 = () => listening(createSecureServer(certificate, answer as never));

  it("the check speaks what the service's protocol says", async () => {
    const servers = { http1: await http1(), both: await both(), http2: await http2(), h2c: await listening(createHttp2(answer as never)) };
    const results: Record<string, string> = {};
    for (const [name, { port }] of Object.entries(servers)) {
      for (const protocol of ["h1", "h2", "auto"] as const) {
        const result = await check({ type: "http", path: "/" }, { port, secure: name !== "h2c" }, protocol, 1_000);
        results[`${name} ${protocol}`] = result === "passed" ? result : "failed";
      }
    }
    expect(results).toEqual({
      "http1 h1": "passed",
      "http1 h2": "failed",
      "http1 auto": "passed",
      "both h1": "passed",
      "both h2": "passed",
      "both auto": "passed",
      "http2 h1": "failed",
      "http2 h2": "passed",
      "http2 auto": "passed",
      "h2c h1": "failed",
      "h2c h2": "passed",
      "h2c auto": "failed",
    });
    for (const { open } of Object.values(servers)) await until("no connection is left", () => open() === 0);
  });

  it("an instance whose certificate nobody vouches for fails, also the check of the port alone", async () => {
    const { port } = await http1();
    const strict = healthCheckProbe({ type: "tcp" }, { protocol: "h1", open: opening(staticIdentity()) });
    await expect(strict(testUpstream({ port, secure: true }), new Cancellation())).rejects.toMatchObject({
      code: "DEPTH_ZERO_SELF_SIGNED_CERT",
    });
    const named = healthCheckProbe({ type: "tcp" }, { protocol: "h1", open: opening({ ...tls, serverName: "other.example" }) });
    await expect(named(testUpstream({ port, secure: true }), new Cancellation())).rejects.toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
  });
});

describe("a check of the port", () => {
  it("passes when a connection can be made, and with TLS when there is a session", async () => {
    const plain = await serveRaw(() => {});
    expect(await check({ type: "tcp" }, { port: plain.port })).toBe("passed");
    const secure = await listening(createTls(certificate, () => {}));
    expect(await check({ type: "tcp" }, { port: secure.port, secure: true })).toBe("passed");
    expect(await check({ type: "tcp" }, { port: await closedPort() })).toContain("ECONNREFUSED");
    // Accepts, and never says hello.
    expect(await check({ type: "tcp" }, { port: plain.port, secure: true }, "h1", 100)).toBe("timed out");
    await until("no connection is left", () => secure.open() === 0);
  });
});

describe("a gRPC check", () => {
  const grpc: HealthCheckOptions = { type: "grpc", service: "orders" };

  /** A server that speaks gRPC's health checking protocol by its documented bytes. */
  async function health(answer: (stream: ServerHttp2Stream, message: string, headers: IncomingHttpHeaders) => void, isSecure = false) {
    const server = (isSecure ? createSecureServer(certificate) : createHttp2()) as Http2Server;
    server.on("stream", (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("error", () => {});
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => answer(stream, Buffer.concat(chunks).toString("hex"), headers));
    });
    return listening(server);
  }

  function reply(stream: ServerHttp2Stream, message: string, status = "0"): void {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
    stream.end(Buffer.from(message, "hex"));
  }

  for (const isSecure of [false, true]) {
    it(`passes when the service is SERVING, ${isSecure ? "with" : "without"} TLS`, async () => {
      const seen: unknown[] = [];
      const { port, open } = await health((stream, message, headers) => {
        seen.push([headers[":method"], headers[":path"], headers["content-type"], headers["te"], message]);
        reply(stream, "00000000020801");
      }, isSecure);
      expect(await check(grpc, { port, secure: isSecure })).toBe("passed");
      expect(seen).toEqual([["POST", "/grpc.health.v1.Health/Check", "application/grpc", "trailers", "00000000080a066f7264657273"]]);
      await until("the connection is closed", () => open() === 0);
    });
  }

  for (const [what, message, status, result] of [
    ["NOT_SERVING", "00000000020802", "0", "it answered NOT_SERVING"],
    ["UNKNOWN", "0000000000", "0", "it answered UNKNOWN"],
    ["an error", "", "5", "it answered grpc-status 5"],
    ["an error after its message", "00000000020801", "14", "it answered grpc-status 14"],
    ["no message", "", "0", "the answer is no gRPC message without compression"],
  ] as const) {
    it(`fails on ${what}`, async () => {
      const { port } = await health((stream) => reply(stream, message, status));
      expect(await check(grpc, { port })).toBe(result);
    });
  }

  it("fails on an answer of nothing but trailers, on another status, without a status, on a reset, and on silence", async () => {
    const answers: Record<string, (stream: ServerHttp2Stream) => void> = {
      "it answered grpc-status 12": (stream) => stream.respond({ ":status": 200, "grpc-status": "12" }, { endStream: true }),
      "it answered 404": (stream) => stream.respond({ ":status": 404 }, { endStream: true }),
      "it answered grpc-status none": (stream) => {
        stream.respond({ ":status": 200 });
        stream.end(Buffer.from("00000000020801", "hex"));
      },
      "ERR_HTTP2_STREAM_ERROR: Stream closed with error code NGHTTP2_INTERNAL_ERROR": (stream) => stream.close(2),
      "the answer was cut off": (stream) => {
        stream.respond({ ":status": 200 });
        stream.write("half");
        setTimeout(() => stream.session?.destroy(), 50);
      },
      "timed out": () => {},
    };
    const results: string[] = [];
    for (const answer of Object.values(answers)) {
      const { port } = await health((stream) => answer(stream));
      results.push(await check(grpc, { port }, "h1", 300));
    }
    expect(results).toEqual(Object.keys(answers));
  });

  it("fails where HTTP/1.1 is spoken", async () => {
    const { port } = await serve();
    expect(await check(grpc, { port }, "h1", 500)).not.toBe("passed");
  });
});

it("a process ends although an instance does not answer its checks", async () => {
  const hanging = await serveRaw(() => {});
  const index = new URL("../../../src/index.ts", import.meta.url).href;
  const script = `
    import { createMesh, staticDiscovery } from ${JSON.stringify(index)};
    const mesh = createMesh({
      discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port: ${hanging.port} }] }),
      observers: [],
      healthCheck: { type: "http", path: "/", intervalMs: 60_000, timeoutMs: 60_000 },
    });
    await mesh.fetch("orders/", { mesh: { timeoutMs: 200 } }).catch(() => {});
    console.log("over");`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: join(import.meta.dirname, "../../.."),
    timeout: 20_000,
  });
  expect([stdout, hanging.received.some((text) => text.includes("inmesh-health-check"))]).toEqual(["over\n", true]);
});
