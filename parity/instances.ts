import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2Server } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { freePorts } from "../test/servers/ports.ts";

/**
 * What an instance does with a request: answers 200, or with this status; breaks the connection after it has read the request (`reset`); never answers
 * (`hang`); answers after 300 ms (`slow`); is not there (`refuse`); speaks HTTP/2 without TLS (`h2`).
 */
export type Behaviour = "ok" | "reset" | "hang" | "slow" | "refuse" | "h2" | number;

/** A request as an instance saw it. */
export interface SeenRequest {
  readonly probe: string;
  /** The place of the instance in the case. */
  readonly instance: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly version: string;
}

/** Instances of one case, each with what it has seen. */
export interface Instances extends AsyncDisposable {
  readonly ports: readonly number[];
  readonly seen: SeenRequest[];
  /** Changes what an instance does from now on. */
  become(instance: number, behaviour: Behaviour): void;
}

type Listening = Server | Http2Server;

/** Starts an instance for each behaviour, on free ports of this machine. */
export async function startInstances(behaviours: readonly Behaviour[]): Promise<Instances> {
  const current = [...behaviours];
  const seen: SeenRequest[] = [];
  const servers: Listening[] = [];
  const sockets = new Set<Socket>();
  const ports: number[] = [];
  for (const [instance, behaviour] of behaviours.entries()) {
    if (behaviour === "refuse") {
      ports.push(...(await freePorts(1)));
      continue;
    }
    const handler = (request: IncomingMessage, response: ServerResponse): void => {
      request.resume();
      request.once("end", () => {
        seen.push(seenOf(request, instance));
        respond(current[instance] as Behaviour, request, response, instance);
      });
    };
    const server: Listening =
      behaviour === "h2" ? createHttp2Server(handler as never) : createServer({ keepAliveTimeout: 60_000 }, handler);
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    servers.push(server);
    ports.push((server.address() as AddressInfo).port);
  }
  return {
    ports,
    seen,
    become(instance, behaviour) {
      current[instance] = behaviour;
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function seenOf(request: IncomingMessage, instance: number): SeenRequest {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value)]),
  );
  const host = headers[":authority"] ?? headers["host"] ?? "";
  return {
    probe: headers["x-probe"] ?? "",
    instance,
    method: request.method ?? "",
    path: request.url ?? "",
    headers: { ...headers, host },
    version: request.httpVersion,
  };
}

function respond(behaviour: Behaviour, request: IncomingMessage, response: ServerResponse, instance: number): void {
  const answer = (status: number): void => {
    const body = `instance ${instance}`;
    response.writeHead(status, {
      "content-type": "text/plain",
      "content-length": body.length,
      "x-instance": String(instance),
      "x-from": "instance",
    });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  if (typeof behaviour === "number") answer(behaviour);
  else if (behaviour === "reset") request.socket.destroy();
  else if (behaviour === "slow") setTimeout(() => answer(200), 300);
  else if (behaviour !== "hang") answer(200);
}
