import { STATUS_CODES } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { Clock } from "../../core/clock.ts";
import { refusedHeader } from "../../core/http/own-headers.ts";
import { endReply, type ServerReply, type ServerRequest } from "../node-server.ts";
import { rpcStatusOfRefusal } from "../streams/refusal-status.ts";
import { refuseCall, refusedProtocol } from "../streams/refused-call.ts";

/** How long the body of a refused request is read, in milliseconds: a connection that is closed before may take the answer with it. */
const lingerMs = 1_000;

/** The headers of a refusal: nothing was done for the request, so a caller may repeat it elsewhere, whatever its method. */
const refusalHeaders = { [refusedHeader]: "1", "content-type": "text/plain; charset=utf-8" } as const;

/** How a request is refused. */
export interface Refusal {
  readonly clock: Clock;
  readonly why: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a caller may repeat it elsewhere at once: not where it is the caller itself that asks too much. */
  readonly isMarked?: boolean;
  /** The code of gRPC that says it to a caller of a remote procedure. @default by the status */
  readonly rpcStatus?: number | undefined;
}

/**
 * Answers a request with a status, 503 by default, and `x-mesh-refused: 1`, before any handler has seen it. Its body is read first, for a second at
 * most: a connection that closes with unread bytes is reset, and the answer is lost on the way.
 */
export function refuse(
  request: ServerRequest,
  reply: ServerReply,
  { clock, why, status = 503, headers = {}, isMarked = true, rpcStatus }: Refusal,
): void {
  const answer = (): void => {
    if (reply.destroyed || reply.headersSent) return;
    const protocol = refusedProtocol(request, reply);
    if (protocol !== undefined) {
      const marked = isMarked ? { ...headers, [refusedHeader]: "1" } : headers;
      refuseCall(reply, protocol, { why, code: rpcStatus ?? rpcStatusOfRefusal(status), status, headers: marked });
      return;
    }
    const text = `${why}\n`;
    // By the methods that both kinds of responses have.
    reply.statusCode = status;
    for (const [name, value] of Object.entries({ ...refusalHeaders, "content-length": String(Buffer.byteLength(text)), ...headers }))
      if (isMarked || name !== refusedHeader) reply.setHeader(name, value);
    endReply(reply, text);
  };
  if ("isOfStream" in reply || hasNoBody(request)) {
    answer();
    return;
  }
  const timer = clock.setTimer(answer, lingerMs, false);
  request.once("end", answer);
  request.once("close", () => clock.clearTimer(timer));
  request.resume();
}

/** Answers a stream of HTTP/2 as {@link refuse} does, for a server without listeners of requests. */
export function refuseStream(stream: ServerHttp2Stream, why: string): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({ ":status": 503, ...refusalHeaders });
  stream.end(`${why}\n`);
}

/** Answers a request for an upgrade as {@link refuse} does. */
export function refuseUpgrade(
  socket: Duplex,
  { why, status = 503, headers = {}, isMarked = true }: Pick<Refusal, "why" | "status" | "headers" | "isMarked">,
): void {
  const text = `${why}\n`;
  const all = { ...refusalHeaders, "content-length": String(Buffer.byteLength(text)), connection: "close", ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) => (isMarked || name !== refusedHeader ? [`${name}: ${value}\r\n`] : []));
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n${text}`);
}

function hasNoBody({ headers, httpVersionMajor, complete }: ServerRequest): boolean {
  if (complete) return true;
  if (httpVersionMajor >= 2) return false;
  return headers["transfer-encoding"] === undefined && (headers["content-length"] ?? "0") === "0";
}
