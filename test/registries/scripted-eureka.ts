import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

/** A request as the scripted server got it. */
export interface SeenCall {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a script answers; `undefined` leaves the request unanswered. */
export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Breaks the connection off after the body, which was announced to be longer. */
  readonly isCutOff?: boolean;
}

/** Answers the call with this number, counted from 0. */
export type EurekaScript = (call: SeenCall, number: number) => ScriptedAnswer | undefined;

/** An HTTP server that answers as a test says: for what a real Eureka cannot be made to show. */
export interface ScriptedEureka extends AsyncDisposable {
  /** The service URL. */
  readonly url: string;
  readonly seen: readonly SeenCall[];
  /** Connections that are open now. */
  readonly connections: number;
}

export async function scriptedEureka(script: EurekaScript, tls?: { readonly key: string; readonly cert: string }): Promise<ScriptedEureka> {
  const seen: SeenCall[] = [];
  const sockets = new Set<Socket>();
  const listener: RequestListener = (request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const call = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
      const answer = script(call, seen.push(call) - 1);
      if (answer === undefined) return;
      const content = Buffer.from(answer.body ?? "");
      const length = answer.isCutOff ? content.byteLength + 1 : content.byteLength;
      response.writeHead(answer.status ?? 200, { "content-length": length, ...answer.headers });
      if (answer.isCutOff) response.write(content, () => request.socket.destroy());
      else response.end(content);
    });
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}/eureka`,
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

/** An instance as Eureka lists it. */
export function listedInstance(overrides: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    instanceId: "host:users:8080",
    hostName: "users-1.internal",
    app: "USERS",
    ipAddr: "127.0.0.1",
    status: "UP",
    overriddenStatus: "UNKNOWN",
    port: { $: 8080, "@enabled": "true" },
    securePort: { $: 8443, "@enabled": "false" },
    vipAddress: "users",
    secureVipAddress: "users",
    metadata: { "@class": "java.util.Collections$EmptyMap" },
    ...overrides,
  };
}

/** A registry with these instances, grouped by their `app`. */
export function registryOf(...instances: readonly Readonly<Record<string, unknown>>[]): string {
  const names = [...new Set(instances.map(({ app }) => app))];
  const application = names.map((name) => ({ name, instance: instances.filter(({ app }) => app === name) }));
  return JSON.stringify({ applications: { versions__delta: "1", apps__hashcode: "", application } });
}
