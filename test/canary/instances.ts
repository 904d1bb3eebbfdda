import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createSocketServer, type Server } from "node:net";
import { certificate } from "../support/certificate.ts";
import { secrets } from "./secrets.ts";

/** Ports of 127.0.0.1, by what answers there. */
export interface Instances {
  /** HTTP/1.1; the path says what happens. */
  readonly http: number;
  readonly tls: number;
  readonly http2: number;
  /** Sends back what it is sent, as it is: no HTTP. */
  readonly echo: number;
  /** Nobody. */
  readonly closed: number;
}

export async function startInstances(): Promise<Instances> {
  const http = createServer((request, response) => {
    request.resume();
    response.setHeader("set-cookie", `session=${secrets.responseCookie}`);
    const path = request.url?.split("?")[0] ?? "/";
    if (path === "/reset") request.socket.resetAndDestroy();
    else if (path === "/cut")
      response.writeHead(200, { "content-length": "1000" }).write(secrets.responseBody, () => request.socket.destroy());
    else if (path === "/no-gzip") response.writeHead(200, { "content-encoding": "gzip" }).end(secrets.responseBody);
    else if (path === "/away") response.writeHead(302, { location: `http://user:${secrets.userinfo}@elsewhere/${request.url}` }).end();
    else if (path !== "/hang") response.writeHead(Number(path.slice(1)) || 200).end(secrets.responseBody);
  });
  const tls = createTlsServer({ ...certificate }, (_request, response) => response.end(secrets.responseBody));
  const http2 = createHttp2Server();
  http2.on("stream", (stream) => {
    stream.on("error", () => {});
    // INTERNAL_ERROR
    stream.close(2);
  });
  const echo = createSocketServer((socket) => socket.on("error", () => {}).pipe(socket));
  const nobody = createSocketServer();
  const closed = await listening(nobody);
  nobody.close();
  return {
    http: await listening(http),
    tls: await listening(tls),
    http2: await listening(http2 as unknown as Server),
    echo: await listening(echo),
    closed,
  };
}

/** Its port; it keeps no process alive. */
export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return (server.address() as AddressInfo).port;
}
