import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A request as the scripted agent got it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers the request with this number, counted from 0; leaving it unanswered is a blocking query nothing wakes. */
export type Script = (request: SeenRequest, response: ServerResponse, number: number) => void;

/** An HTTP server that answers as a test says: for faults that a real Consul cannot be made to show. */
export interface ScriptedConsul extends AsyncDisposable {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Connections that are open now. */
  readonly connections: number;
}

export async function scriptedConsul(script: Script): Promise<ScriptedConsul> {
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      const url = new URL(request.url ?? "/", "http://scripted");
      const found = { method: request.method ?? "", path: url.pathname, query: url.searchParams, headers: request.headers, body };
      const number = seen.push(found) - 1;
      script(found, response, number);
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    get connections() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

async function read(request: IncomingMessage): Promise<string> {
  let body = "";
  request.setEncoding("utf8");
  for await (const chunk of request) body += chunk;
  return body;
}

/** Answers with JSON and, unless told otherwise, with an index of 1. */
export function answer(
  response: ServerResponse,
  body: unknown,
  headers: Readonly<Record<string, string>> = { "x-consul-index": "1" },
  status = 200,
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** Answers with a status and a line of text, as Consul does when something is wrong. */
export function refuse(response: ServerResponse, status: number, line: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(line);
}

/** A passing entry of `/v1/health/service/orders` at 127.0.0.1. */
export function entry(
  port: number,
  overrides: { readonly service?: object; readonly node?: object; readonly checks?: unknown } = {},
): unknown {
  return {
    Node: { Node: "node-1", Address: "10.0.0.1", Datacenter: "dc1", ...overrides.node },
    Service: {
      ID: `orders-${port}`,
      Service: "orders",
      Address: "127.0.0.1",
      Port: port,
      Tags: [],
      Meta: {},
      Weights: { Passing: 1, Warning: 1 },
      ...overrides.service,
    },
    Checks: overrides.checks ?? [{ CheckID: "serfHealth", Status: "passing" }],
  };
}
