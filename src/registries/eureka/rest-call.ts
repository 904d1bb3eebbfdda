import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { createGunzip } from "node:zlib";
import type { Clock } from "../../core/clock.ts";
import { quoted } from "../../core/text/clean-text.ts";
import type { EurekaTls } from "./options.ts";
import type { ServerAddress } from "./server-address.ts";

/** One REST call; `path` is relative to the server's `/apps/`. */
export interface RestRequest {
  readonly method: string;
  readonly path: string;
  /** JSON. */
  readonly body?: string;
}

/** The answer of a server, with any status. */
export interface RestAnswer {
  /** The label of the server, for messages. */
  readonly server: string;
  readonly status: number;
  readonly text: string;
}

/** Options of {@link restCall}. */
export interface RestCallOptions {
  readonly timeoutMs: number;
  /** Limit of the body, compressed and uncompressed. */
  readonly maxBytes: number;
  readonly tls: EurekaTls;
  readonly clock: Clock;
}

/**
 * Makes one REST call on a connection of its own, so that nothing stays open between two calls. Rejects on a redirect: a registry that
 * redirects its clients could send them to any address of the network. Rejects also on a timeout, an oversized or truncated body, and
 * with the signal's reason.
 */
export function restCall(server: ServerAddress, request: RestRequest, options: RestCallOptions, signal?: AbortSignal): Promise<RestAnswer> {
  const { timeoutMs, maxBytes, clock } = options;
  const { serverName, ...tls } = options.tls;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const body = request.body === undefined ? undefined : Buffer.from(request.body);
    const call = (server.secure ? httpsRequest : httpRequest)({
      ...(server.secure ? { ...(tls as TlsOptions), ...(serverName !== undefined && { servername: serverName }) } : {}),
      agent: false,
      hostname: server.hostname,
      port: server.port,
      method: request.method,
      path: `${server.basePath}/apps/${request.path}`,
      headers: {
        // Without it Eureka answers in XML.
        accept: "application/json",
        "accept-encoding": "gzip",
        ...(server.authorization === undefined ? {} : { authorization: server.authorization }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        "content-length": body?.byteLength ?? 0,
      },
    });
    const end = (settle: () => void) => {
      clock.clearTimer(timer);
      signal?.removeEventListener("abort", onAbort);
      settle();
      call.destroy();
    };
    const fail = (error: unknown) => end(() => reject(error));
    const onAbort = () => fail(signal?.reason);
    const timer = clock.setTimer(() => fail(new Error(`no complete answer within ${timeoutMs} ms`)), timeoutMs, false);
    signal?.addEventListener("abort", onAbort, { once: true });
    // Stays registered: the socket may emit an error after the end, which has been reported already.
    call.on("error", fail);
    call.on("response", (response) => {
      const status = response.statusCode ?? 0;
      if (status >= 300 && status < 400) fail(new Error(`answered ${status}: redirects are not followed`));
      else readBody(response, maxBytes, (text) => end(() => resolve({ server: server.label, status, text })), fail);
    });
    call.end(body);
  });
}

function readBody(response: IncomingMessage, maxBytes: number, done: (text: string) => void, fail: (error: unknown) => void): void {
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding !== "gzip" && encoding !== "identity") {
    fail(new Error(`answered in the content encoding ${quoted(encoding)}`));
    return;
  }
  const content: Readable = encoding === "gzip" ? response.pipe(createGunzip()) : response;
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = (error: unknown) => {
    content.destroy();
    fail(error);
  };
  content.on("data", (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size > maxBytes) stop(new Error(`answered more than ${maxBytes} bytes`));
    else chunks.push(chunk);
  });
  content.on("end", () => done(Buffer.concat(chunks).toString()));
  content.on("error", stop);
  // pipe() does not forward errors, such as a connection that breaks off.
  if (content !== response) response.on("error", stop);
}
