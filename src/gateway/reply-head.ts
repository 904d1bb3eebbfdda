import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { MeshResponse } from "../core/dispatch.ts";
import { endReply, type ServerReply } from "../server/node-server.ts";

type StatusLine = Pick<MeshResponse, "status" | "statusText">;

/** Headers of a response that are of the connection to the instance (RFC 9110 §7.6.1). */
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** The headers of a response for the client: names and values in turn. */
export class ReplyHead {
  readonly lines: string[] = [];
  hasLength = false;
  hasTrailers = false;
  /** Whether the head has the status of a call of gRPC, which is in the trailers otherwise. */
  hasRpcStatus = false;

  constructor(headers: readonly string[]) {
    let listed: string | undefined;
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index] as string;
      const value = headers[index + 1] as string;
      if (ofConnection.has(name)) {
        if (name === "connection" && value !== "keep-alive" && value !== "close") listed = `${listed ?? ""},${value.toLowerCase()}`;
        continue;
      }
      if (name === "content-length") this.hasLength = true;
      else if (name === "trailer") this.hasTrailers = true;
      else if (name === "grpc-status") this.hasRpcStatus = true;
      this.lines.push(name, value);
    }
    if (listed !== undefined) this.#leaveOut(new Set(listed.split(",").map((each) => each.trim())));
  }

  /** Adds what the rule of the route says of other origins, in place of what the instance says. */
  allow(headers: readonly string[]): void {
    const { lines } = this;
    let to = 0;
    for (let index = 0; index < lines.length; index += 2) {
      const name = lines[index] as string;
      if (name.startsWith("access-control-")) continue;
      lines[to++] = name;
      lines[to++] = lines[index + 1] as string;
    }
    lines.length = to;
    lines.push(...headers);
  }

  #leaveOut(names: ReadonlySet<string>): void {
    const { lines } = this;
    let to = 0;
    for (let index = 0; index < lines.length; index += 2) {
      const name = lines[index] as string;
      if (names.has(name) && name !== "content-length") continue;
      lines[to++] = name;
      lines[to++] = lines[index + 1] as string;
    }
    lines.length = to;
  }
}

/**
 * Writes the head of a response. HTTP/1.1 takes the lines as they are; the responses of HTTP/2 in Node.js keep one value of each name, so repeated ones
 * are put together.
 */
export function writeHead(reply: ServerReply, { status, statusText }: StatusLine, lines: string[]): void {
  if ("stream" in reply) {
    setHeaders(reply, lines);
    reply.writeHead(status);
  } else if (statusText === "") {
    // HTTP/2 has no reason: Node.js adds the usual one.
    (reply as ServerResponse).writeHead(status, lines);
  } else (reply as ServerResponse).writeHead(status, statusText, lines);
}

/** Ends a response that has no body. Over HTTP/2 its head ends the stream: a frame without data behind it would say that there is a body. */
export function endWithHead(reply: ServerReply, response: StatusLine, lines: string[]): void {
  if ("stream" in reply) {
    setHeaders(reply, lines);
    reply.statusCode = response.status;
  } else writeHead(reply, response, lines);
  endReply(reply);
}

function setHeaders(reply: Http2ServerResponse, lines: readonly string[]): void {
  const byName = new Map<string, string | string[]>();
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index] as string;
    const value = lines[index + 1] as string;
    const known = byName.get(name);
    if (known === undefined) byName.set(name, value);
    else if (Array.isArray(known)) known.push(value);
    else byName.set(name, [known, value]);
  }
  for (const [name, value] of byName) reply.setHeader(name, value);
}

/** A body of up to this many bytes goes out as one text with its head. */
const oneWriteBytes = 8_192;

/** Ends a response with its whole body. Node.js puts a head and a text together, where a head and bytes are two parts of a write. */
export function endWith(reply: ServerReply, content: Uint8Array): void {
  const out = reply as NodeJS.WritableStream;
  if (content.byteLength > oneWriteBytes || "stream" in reply) out.end(content);
  else out.end(Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1"), "latin1");
}

/** Adds the trailers of a response. */
export function addTrailers(reply: ServerReply, trailers: readonly string[]): void {
  const byName: Record<string, string> = {};
  for (let index = 0; index < trailers.length; index += 2) byName[trailers[index] as string] = trailers[index + 1] as string;
  reply.addTrailers(byName);
}
