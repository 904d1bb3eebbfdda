import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createRawServer, type Server as RawServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";

/** What a server saw of one request. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** An HTTP server on a free port that ends with the test. */
export interface TestServer {
  readonly port: number;
  /** Requests that were read to their end. */
  readonly seen: SeenRequest[];
  /** Requests whose head was read. */
  readonly begun: string[];
  /** Connections that were ever made. */
  readonly accepted: number;
  /** Responses whose connection was closed before they had ended. */
  readonly abandoned: number;
  close(): Promise<void>;
}

/** A server that reads each request to its end and then answers with `answer`; without one with an empty 200. */
export async function serve(answer: RequestListener = (_request, response) => void response.end()): Promise<TestServer> {
  const seen: SeenRequest[] = [];
  const begun: string[] = [];
  let accepted = 0;
  let abandoned = 0;
  const server = createServer((request, response) => {
    response.on("close", () => {
      if (!response.writableFinished) abandoned++;
    });
    const { method = "", url = "", headers, rawHeaders } = request;
    begun.push(`${method} ${url}`);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.push({ method, url, headers, rawHeaders, body: Buffer.concat(chunks) });
      answer(request, response);
    });
    request.on("error", () => {});
  });
  server.on("connection", () => accepted++);
  await listen(server);
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  onTestFinished(close);
  return {
    port: portOf(server),
    seen,
    begun,
    get accepted() {
      return accepted;
    },
    get abandoned() {
      return abandoned;
    },
    close,
  };
}

/** A server that speaks bytes. */
export interface RawTestServer {
  readonly port: number;
  readonly sockets: Socket[];
  /** Everything that was received, by connection. */
  readonly received: string[];
  close(): Promise<void>;
}

/** A TCP server that ends with the test. `onRequest` is called for every request head that has arrived whole. */
export async function serveRaw(onRequest: (socket: Socket, head: string) => void): Promise<RawTestServer> {
  const sockets: Socket[] = [];
  const received: string[] = [];
  const server = createRawServer((socket) => {
    const index = sockets.push(socket) - 1;
    received[index] = "";
    let heads = 0;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      received[index] += chunk.toString("latin1");
      const found = (received[index] as string).split("\r\n\r\n").length - 1;
      while (heads < found) {
        onRequest(socket, (received[index] as string).split("\r\n\r\n")[heads] as string);
        heads++;
      }
    });
  });
  await listen(server);
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  onTestFinished(close);
  return { port: portOf(server), sockets, received, close };
}

/** A port of the loopback on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createRawServer();
  await listen(server);
  const port = portOf(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** A mesh over instances on these ports of the loopback that ends with the test. */
export function meshOf(services: Readonly<Record<string, number | readonly number[]>>, options: Partial<MeshOptions> = {}): Mesh {
  const list = Object.entries(services).map(([name, ports]) => [name, [ports].flat().map((port) => ({ host: "127.0.0.1", port }))]);
  return closing(createMesh({ discovery: staticDiscovery(Object.fromEntries(list)), drainTimeoutMs: 0, ...options }));
}

/** Closes `mesh` at the end of the test. */
export function closing(mesh: Mesh): Mesh {
  onTestFinished(() => mesh.close());
  return mesh;
}

/** What a promise rejects with; fails when it does not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, got ${String(value)}`);
}

/** Resolves when `condition` holds; rejects after `withinMs`, saying what it waited for. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > withinMs) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await pause(5);
  }
}

function listen(server: Server | RawServer): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
}

function portOf(server: Server | RawServer): number {
  return (server.address() as AddressInfo).port;
}
