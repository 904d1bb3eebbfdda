import type { ServerResponse } from "node:http";
import type { MeshResponse } from "../core/dispatch.ts";
import type { ServerReply } from "../server/node-server.ts";

/** Headers of a response that are of the connection to the instance (RFC 9110 §7.6.1). */
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Names that are none of a trailer (RFC 9110 §6.5.1): of the framing and the routing of the message, of its content, and what a client would act upon, had it been in
 * the head.
 */
const notOfTrailers: ReadonlySet<string> = new Set([
  ...ofConnection,
  "age",
  "authorization",
  "cache-control",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "date",
  "expires",
  "host",
  "location",
  "retry-after",
  "set-cookie",
  "trailer",
  "vary",
  "warning",
  "www-authenticate",
]);

/** The headers of a response for the client: names and values in turn. */
export class ReplyHead {
  readonly lines: string[] = [];
  hasLength = false;
  hasTrailers = false;
  /** The names that `connection` lists. */
  #listed: ReadonlySet<string> | undefined = undefined;

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
      this.lines.push(name, value);
    }
    if (listed === undefined) return;
    this.#listed = new Set(listed.split(",").map((each) => each.trim()));
    this.#leaveOut(this.#listed);
  }

  /** The trailers of the response that are for the client: those that an instance may say at the end, of each name all values in one. */
  trailersOf(trailers: readonly string[]): Readonly<Record<string, string>> {
    const byName = new Map<string, string>();
    for (let index = 0; index < trailers.length; index += 2) {
      const name = trailers[index] as string;
      if (notOfTrailers.has(name) || this.#listed?.has(name) || /^:|^access-control-/.test(name)) continue;
      const known = byName.get(name);
      byName.set(name, known === undefined ? (trailers[index + 1] as string) : `${known}, ${trailers[index + 1]}`);
    }
    return Object.fromEntries(byName);
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
 * Writes the head of a response. HTTP/1.1 takes the lines as they are. Of HTTP/2, Node.js keeps one entry of each name, and throws for two of a name that it takes for
 * a single one: repeated ones are put together, as RFC 9110 §5.3 allows for all but cookies.
 * @throws what Node.js says of a head that it does not write; nothing of it is set then
 */
export function writeHead(reply: ServerReply, { status, statusText }: Pick<MeshResponse, "status" | "statusText">, lines: string[]): void {
  if (!("stream" in reply)) {
    // HTTP/2 has no reason: Node.js adds the usual one.
    if (statusText === "") (reply as ServerResponse).writeHead(status, lines);
    else (reply as ServerResponse).writeHead(status, statusText, lines);
    return;
  }
  const byName = new Map<string, string | string[]>();
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index] as string;
    const value = lines[index + 1] as string;
    const known = byName.get(name);
    if (known === undefined) byName.set(name, value);
    else if (name === "set-cookie") byName.set(name, [known, value].flat());
    else byName.set(name, `${known}, ${value}`);
  }
  try {
    for (const [name, value] of byName) reply.setHeader(name, value);
    reply.writeHead(status);
  } catch (error) {
    for (const name of reply.getHeaderNames()) reply.removeHeader(name);
    throw error;
  }
}

/** A body of up to this many bytes goes out as one text with its head. */
const oneWriteBytes = 8_192;

/** Ends a response with its whole body. Node.js puts a head and a text together, where a head and bytes are two parts of a write. */
export function endWith(reply: ServerReply, content: Uint8Array): void {
  const out = reply as NodeJS.WritableStream;
  if (content.byteLength > oneWriteBytes || "stream" in reply) out.end(content);
  else out.end(Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1"), "latin1");
}
