import { createServer } from "node:http";
import { type ClientHttp2Session, connect, createServer as createHttp2Server, type IncomingHttpHeaders } from "node:http2";
import { type AddressInfo, connect as connectSocket } from "node:net";
import { onTestFinished } from "vitest";
import { type Gateway, type GatewayOptions, gateway } from "../../src/gateway/gateway.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { meshOf } from "./mesh.ts";
import { listening } from "./servers.ts";

/** A gateway in front of one service `web`, over HTTP/1.1 and, in clear text, HTTP/2. */
export interface RunningGateway {
  readonly port: number;
  readonly http2Port: number;
  readonly gateway: Gateway;
}

/** Starts a gateway in front of instances on these ports; it is closed at the end of the test. */
export async function gatewayTo(
  ports: number | readonly number[],
  options: GatewayOptions = {},
  meshOptions: Partial<MeshOptions> = {},
): Promise<RunningGateway> {
  const proxy = gateway(meshOf({ web: ports }, meshOptions), { service: "web", ...options });
  const port = await listenOn(proxy);
  const http2Port = await listening(createHttp2Server(proxy.handle));
  return { port, http2Port, gateway: proxy };
}

/** Lets a gateway listen over HTTP/1.1 until the end of the test. Returns its port. */
export async function listenOn(proxy: Gateway): Promise<number> {
  const server = createServer(proxy.handle).on("upgrade", proxy.upgrade);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Sends bytes on a connection of its own and resolves with all that comes back until it closes, or has been quiet for `quietMs`. */
export function exchange(port: number, bytes: string | Buffer, quietMs = 300): Promise<string> {
  return new Promise((resolve) => {
    let got = "";
    const socket = connectSocket(port, "127.0.0.1", () => socket.write(bytes));
    socket.setTimeout(quietMs, () => socket.destroy());
    socket.on("data", (chunk) => (got += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve(got));
  });
}

/** A response over HTTP/2. */
export interface Http2Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
}

/** Opens a session of HTTP/2 that ends with the test. */
export function http2Client(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  return session;
}

/** Sends a request over HTTP/2. */
export function http2Request(session: ClientHttp2Session, headers: Record<string, string>, body?: string | Buffer): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined });
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    let text = "";
    stream.on("response", (given) => (head = given));
    stream.on("trailers", (given) => (trailers = given));
    stream.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    stream.on("error", reject);
    stream.on("end", () => resolve({ headers: head, body: text, trailers }));
    if (body !== undefined) stream.end(body);
  });
}
