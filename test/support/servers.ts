import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createRawServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** One request, as a server has read it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** An HTTP server on a free port of the loopback, closed at the end of the test. */
export interface TestServer {
  readonly port: number;
  /** Requests that were read to their end, in that order. */
  readonly seen: SeenRequest[];
  /** Requests whose head was read: `GET /x`. */
  readonly begun: string[];
  /** Number of connections that were made. */
  readonly accepted: number;
  /** Number of responses whose connection was closed before they had ended. */
  readonly abandoned: number;
  close(): Promise<void>;
}

/** Starts a server that reads each request to its end before `answer` is called; without `answer` it sends an empty 200. */
export async function serve(answer: RequestListener = (_request, response) => void response.end()): Promise<TestServer> {
  const seen: SeenRequest[] = [];
  const begun: string[] = [];
  let accepted = 0;
  let abandoned = 0;
  const server = createServer((request, response) => {
    const { socket } = request;
    response.on("close", () => {
      // Node 22 calls a response finished whose connection was reset.
      if (!response.writableFinished || socket.errored) abandoned++;
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

/** A TCP server on a free port of the loopback, closed at the end of the test. */
export interface RawTestServer {
  readonly port: number;
  readonly sockets: Socket[];
  /** The bytes that each connection has received, as Latin-1. */
  readonly received: string[];
  close(): Promise<void>;
}

/** Starts a TCP server. `onRequest` is called with each request head that has arrived whole. */
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

/** A port of the loopback without a listener. */
export async function closedPort(): Promise<number> {
  const server = createRawServer();
  await listen(server);
  const port = portOf(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/**
 * Lets a server listen on a free port of the loopback, and closes it with all of its connections at the end of the test. Resolves with the
 * port.
 */
export async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return portOf(server);
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
