import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { onTestFinished } from "vitest";
import { type InboundMiddleware, inbound, type MiddlewareOptions } from "../../../src/server/inbound/middleware.ts";
import { type ServeOptions, type Serving, serve } from "../../../src/server/server.ts";

/** An answer, with its body as text. */
export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A request to a server on this machine. */
export interface Ask {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  readonly localAddress?: string;
}

/** Sends a request on a connection of its own. */
export function ask(port: number, { path = "/", method = "GET", headers = {}, body, localAddress }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send({ port, host: "127.0.0.1", path, method, headers, localAddress, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.once("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
      response.once("error", reject);
    });
    request.once("error", reject).end(body);
  });
}

/** Sends bytes, and returns what comes back until the connection ends. */
export function askRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => void socket.write(bytes));
    socket.setEncoding("latin1").on("data", (text: string) => (received += text));
    socket.once("close", () => resolve(received)).once("error", reject);
  });
}

/** A server with the middleware in front of `listener`. */
export async function guarded(options: MiddlewareOptions, listener: RequestListener = (_request, response) => void response.end("ok")) {
  const guard: InboundMiddleware = inbound(options);
  const server = createServer((request, response) => guard(request, response, () => listener(request, response)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await guard.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, server, guard };
}

/** A server that `serve` serves, with the middleware. */
export async function served(options: ServeOptions, listener: RequestListener = (_request, response) => void response.end("ok")) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const serving: Serving = serve(server, { signals: [], lameDuckMs: 0, log: false, inbound: {}, ...options });
  onTestFinished(async () => void (await serving.stop()));
  return { port: (server.address() as AddressInfo).port, server, serving };
}

/** Requests that wait for their answer, which the test gives. */
export class Held {
  readonly requests: { readonly request: IncomingMessage; answer(text?: string, status?: number): void }[] = [];

  readonly listener: RequestListener = (request, response) => {
    this.requests.push({
      request,
      answer: (text = "ok", status = 200) => {
        response.statusCode = status;
        response.end(text);
      },
    });
  };
}
