import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

/** A request as a scripted server got it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTP server that answers as a test says: for faults that a real registry cannot be made to show. */
export interface ScriptedServer<Seen> extends AsyncDisposable {
  /** `http://127.0.0.1:port`, or `https://`. */
  readonly origin: string;
  readonly seen: readonly Seen[];
  /** Connections that are open now. */
  readonly connections: number;
}

/**
 * Starts one. `read` makes of each request what the script and `seen` get; the script answers the request with the number it
 * is given, counted from 0, or leaves it unanswered.
 */
export async function scriptedServer<Seen>(
  read: (request: SeenRequest) => Seen,
  script: (seen: Seen, response: ServerResponse, number: number) => void,
  tls?: { readonly key: string; readonly cert: string },
): Promise<ScriptedServer<Seen>> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void bodyOf(request).then((body) => {
      const found = read({ method: request.method ?? "", target: request.url ?? "/", headers: request.headers, body });
      script(found, response, seen.push(found) - 1);
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
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

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  request.setEncoding("utf8");
  for await (const chunk of request) body += chunk;
  return body;
}
