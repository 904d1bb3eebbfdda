import nodeHttp from "node:http";
import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** The answer to a check over HTTP. */
export interface CheckAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** The trailers; the headers of a response without a body, as gRPC has it. */
  readonly trailers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The request of a check over HTTP. */
export interface CheckRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly authority: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** The most bytes that are read: a health endpoint answers with a few. */
const maxBodyBytes = 65_536;

/** Sends the request over HTTP/2 or HTTP/1.1 and destroys the connection. Rejects when the connection breaks before the answer is complete. */
export async function exchange(socket: Socket, request: CheckRequest, speaks: "h1" | "h2"): Promise<CheckAnswer> {
  try {
    return await (speaks === "h2" ? overHttp2(socket, request) : overHttp1(socket, request));
  } finally {
    socket.destroy();
  }
}

/** The protocol that was negotiated in TLS; HTTP/1.1 without TLS. */
export function negotiated(socket: Socket): "h1" | "h2" {
  return (socket as Partial<TLSSocket>).alpnProtocol === "h2" ? "h2" : "h1";
}

function overHttp1(socket: Socket, { method, path, authority, headers }: CheckRequest): Promise<CheckAnswer> {
  return new Promise((resolve, reject) => {
    const request = nodeHttp.request({
      createConnection: () => socket,
      method,
      path,
      headers: { ...headers, host: authority, connection: "close" },
    });
    request.on("error", reject);
    request.once("close", () => reject(new Error("the connection was closed before the answer was complete")));
    request.once("upgrade", () => reject(new Error("it changed the protocol")));
    request.once("response", (response) => {
      const answer = (body: Buffer) => resolve({ status: response.statusCode ?? 0, body, trailers: response.trailers });
      response.on("error", reject);
      collect(response, answer);
    });
    request.end();
  });
}

function overHttp2(socket: Socket, { method, path, authority, headers, body }: CheckRequest): Promise<CheckAnswer> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://${authority}`, { createConnection: () => socket });
    session.unref();
    session.on("error", reject);
    session.once("close", () => reject(new Error("the connection was closed before the answer was complete")));
    const stream = session.request(
      { ":method": method, ":path": path, ":authority": authority, ...headers },
      { endStream: body === undefined },
    );
    let head: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
    let trailers: IncomingHttpHeaders | undefined;
    stream.on("error", reject);
    stream.once("close", () => reject(new Error("the answer was cut off")));
    stream.once("response", (received) => {
      head = received;
    });
    stream.once("trailers", (received) => {
      trailers = received;
    });
    collect(stream, (bytes) => {
      const status = head[":status"];
      // A stream that is cut off has an end, too.
      if (status === undefined || stream.rstCode) reject(new Error("the answer was cut off"));
      else resolve({ status, body: bytes, trailers: trailers ?? head });
      session.destroy();
    });
    if (body !== undefined) stream.end(body);
  });
}

function collect(readable: NodeJS.ReadableStream, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let byteLength = 0;
  readable.on("data", (chunk: Buffer) => {
    byteLength += chunk.byteLength;
    if (byteLength > maxBodyBytes) done(Buffer.concat(chunks));
    else chunks.push(chunk);
  });
  readable.once("end", () => done(Buffer.concat(chunks)));
}
