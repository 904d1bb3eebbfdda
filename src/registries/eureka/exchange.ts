import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { createGunzip } from "node:zlib";
import type { Clock } from "../../core/clock.ts";
import type { EurekaTls } from "./options.ts";
import type { ServerAddress } from "./server-address.ts";

/** One REST call; `path` is relative to the server's `/apps/`. */
export interface RestRequest {
  readonly method: string;
  readonly path: string;
  /** JSON. */
  readonly body?: string;
}

/** What a server answered, whatever its status. */
export interface RestAnswer {
  /** Which server, for messages. */
  readonly server: string;
  readonly status: number;
  readonly text: string;
}

/** Limits of one exchange. */
export interface ExchangeOptions {
  readonly timeoutMs: number;
  /** Of the body, compressed and uncompressed. */
  readonly maxBytes: number;
  readonly tls: EurekaTls;
  readonly clock: Clock;
}

/**
 * One HTTP exchange on a connection of its own, so that nothing is left open between two of them. Follows no redirect:
 * a registry that sends its clients elsewhere could send them to any address of the network.
 */
export function exchange(server: ServerAddress, request: RestRequest, options: ExchangeOptions, signal?: AbortSignal): Promise<RestAnswer> {
  const { timeoutMs, maxBytes, tls, clock } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const body = request.body === undefined ? undefined : Buffer.from(request.body);
    const call = (server.secure ? httpsRequest : httpRequest)({
      ...(server.secure ? (tls as TlsOptions) : {}),
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
    // Stays for the socket's last words: an error after the end has been told already.
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
    fail(new Error(`answered in the content encoding ${JSON.stringify(encoding)}`));
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
  // pipe() hands no error on; a connection that breaks off ends here.
  if (content !== response) response.on("error", stop);
}
