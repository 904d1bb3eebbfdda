import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMesh, type MeshOptions, staticDiscovery } from "../../src/index.ts";
import { certificate } from "../support/certificate.ts";
import { listening, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** An instance, and the connections to it that are open. */
interface Instance {
  readonly port: number;
  readonly open: () => number;
  /** The connections that were made. */
  readonly made: () => number;
}

async function raw(answer: (socket: Socket) => void): Promise<Instance> {
  const { port, sockets } = await serveRaw(answer);
  return { port, open: () => sockets.filter(({ destroyed }) => !destroyed).length, made: () => sockets.length };
}

async function http2(answer: (stream: ServerHttp2Stream) => void): Promise<Instance> {
  const server = createHttp2Server();
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => sockets.push(socket));
  server.on("sessionError", () => {});
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    answer(stream);
  });
  const port = await listening(server as never);
  return { port, open: () => sockets.filter(({ destroyed }) => !destroyed).length, made: () => sockets.length };
}

/** Writes again and again until the other side has gone. */
function endless(write: () => unknown, stream: { once(event: "close", listener: () => void): unknown }, everyMs = 10): void {
  const timer = setInterval(write, everyMs);
  stream.once("close", () => clearInterval(timer));
}

const http = { type: "http", path: "/" } as const;
const grpc = { type: "grpc" } as const;
const tcp = { type: "tcp" } as const;
const overHttp2: Partial<MeshOptions> = { protocol: "h2" };
const head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

interface Row {
  readonly check: typeof http | typeof grpc | typeof tcp;
  readonly instance: () => Promise<Instance>;
  readonly options?: Partial<MeshOptions>;
  readonly secure?: boolean;
  /** The state of the instance after the check. Default: it has failed. */
  readonly state?: string;
}

/** What an instance may do instead of answering. */
const rows: Readonly<Record<string, Row>> = {
  "silence, HTTP/1.1": { check: http, instance: () => raw(() => {}) },
  "a head and then nothing, HTTP/1.1": { check: http, instance: () => raw((socket) => void socket.write(head)) },
  "a byte now and then in the head, HTTP/1.1": {
    check: http,
    instance: () =>
      raw((socket) => {
        socket.write("HTTP/1.1 200 OK\r\nx: ");
        endless(() => socket.write("x"), socket);
      }),
  },
  "a byte now and then in the body, HTTP/1.1": {
    check: http,
    instance: () =>
      raw((socket) => {
        socket.write(head);
        endless(() => socket.write("1\r\nx\r\n"), socket);
      }),
  },
  "one 1xx after the other, HTTP/1.1": {
    check: http,
    instance: () => raw((socket) => endless(() => socket.write("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"), socket)),
  },
  "a body without end, HTTP/1.1": {
    check: http,
    // The status decides; of the body no more than 64 KiB are read.
    state: "available",
    instance: () =>
      raw((socket) => {
        socket.write(head);
        endless(() => socket.write(`10000\r\n${"x".repeat(0x10000)}\r\n`), socket);
      }),
  },
  "a head without end, HTTP/1.1": {
    check: http,
    instance: () =>
      raw((socket) => {
        socket.write("HTTP/1.1 200 OK\r\n");
        endless(() => socket.write(`x: ${"x".repeat(1_000)}\r\n`), socket);
      }),
  },
  "silence, HTTP/2": { check: http, options: overHttp2, instance: () => raw(() => {}) },
  "a stream without a head, HTTP/2": { check: http, options: overHttp2, instance: () => http2(() => {}) },
  "a head and then nothing, HTTP/2": { check: http, options: overHttp2, instance: () => http2((stream) => stream.respond()) },
  "a byte now and then, HTTP/2": {
    check: http,
    options: overHttp2,
    instance: () =>
      http2((stream) => {
        stream.respond();
        endless(() => stream.write("x"), stream);
      }),
  },
  "a body without end, HTTP/2": {
    check: http,
    options: overHttp2,
    state: "available",
    instance: () =>
      http2((stream) => {
        stream.respond();
        endless(() => stream.write("x".repeat(0x10000)), stream);
      }),
  },
  "silence, gRPC": { check: grpc, instance: () => http2(() => {}) },
  "a head and then nothing, gRPC": { check: grpc, instance: () => http2((stream) => stream.respond()) },
  "a message without end, gRPC": {
    check: grpc,
    instance: () =>
      http2((stream) => {
        stream.respond({ "content-type": "application/grpc" });
        endless(() => stream.write("x".repeat(0x10000)), stream);
      }),
  },
  "no handshake of TLS": { check: tcp, secure: true, instance: () => raw(() => {}) },
  "no handshake of TLS, with a request behind it": { check: http, secure: true, instance: () => raw(() => {}) },
  "silence behind the handshake of TLS": {
    check: http,
    secure: true,
    options: { tls: { ca: certificate.cert } },
    instance: async () => {
      const sockets: Socket[] = [];
      const server = createTlsServer(certificate, (socket) => {
        sockets.push(socket);
        socket.on("error", () => {}).resume();
      });
      return {
        port: await listening(server),
        open: () => sockets.filter(({ destroyed }) => !destroyed).length,
        made: () => sockets.length,
      };
    },
  },
};

async function checking({ check, options, secure = false }: Row, { port }: Instance, timeoutMs: number) {
  const discovery = staticDiscovery({ orders: [{ host: "127.0.0.1", port, secure }] });
  const healthCheck = { ...check, timeoutMs, intervalMs: 60_000 };
  const mesh = createMesh({ discovery, observers: [], drainTimeoutMs: 0, ...options, healthCheck });
  onTestFinished(() => mesh.close());
  await mesh.warm("orders", { maxInstances: 0 });
  return mesh;
}

describe("a health check", () => {
  it.each(Object.entries(rows))("ends with its limit for %s, and leaves no connection", async (_name, row) => {
    const instance = await row.instance();
    const mesh = await checking(row, instance, 120);
    const result = await until("it has a result", () => mesh.explain("orders")?.endpoints[0]?.healthCheck ?? false, 3_000);
    expect(mesh.explain("orders")?.endpoints[0]?.state).toBe(row.state ?? "unhealthy");
    expect(result.durationMs).toBeLessThan(2_000);
    await until("its connection is closed", () => instance.open() === 0 && instance.made() === 1);
  });

  it.each(Object.entries(rows).filter(([, { state }]) => state === undefined))(
    "ends with the mesh, at once, for %s",
    async (_name, row) => {
      const instance = await row.instance();
      const mesh = await checking(row, instance, 60_000);
      await until("the check is under way", () => instance.made() === 1);
      // Its head, or a part of it, has come.
      await new Promise((resolve) => setTimeout(resolve, 40));
      await mesh.close();
      await until("its connection is closed", () => instance.open() === 0, 1_000);
    },
  );
});
