import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Clock } from "../../core/clock.ts";
import { untraced } from "../../core/observing/untraced.ts";
import { nodeTls } from "../../core/settings/client-tls.ts";
import { quoted } from "../../core/text/clean-text.ts";
import type { EurekaTls } from "./options.ts";
import type { ServerAddress } from "./server-address.ts";

/** One REST call; `path` is relative to the server's `/apps/`. */
export interface RestRequest {
  readonly method: string;
  readonly path: string;
  /** JSON. */
  readonly body?: string;
  /** `false` when the call alone must not keep the process alive. Default `true`. */
  readonly keepsProcess?: boolean;
  /** The most bytes of its answer, where it is less than the limit of all. */
  readonly maxBytes?: number;
}

/** The answer of a server, with any status. */
export interface RestAnswer {
  /** The label of the server, for messages. */
  readonly server: string;
  readonly status: number;
  readonly body: Buffer;
}

/** Room for the first bytes of a body. */
const firstBytes = 65_536;

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
export function restCall(server: ServerAddress, request: RestRequest, limits: RestCallOptions, signal?: AbortSignal): Promise<RestAnswer> {
  const { timeoutMs, clock } = limits;
  const { keepsProcess = true } = request;
  const maxBytes = Math.min(limits.maxBytes, request.maxBytes ?? limits.maxBytes);
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const body = request.body === undefined ? undefined : Buffer.from(request.body);
    const open = server.secure ? httpsRequest : httpRequest;
    const options = {
      ...(server.secure ? nodeTls(limits.tls) : {}),
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
    };
    const call = untraced(() => open(options));
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
    if (!keepsProcess) call.once("socket", (socket) => socket.unref());
    call.on("response", (response) => {
      const status = response.statusCode ?? 0;
      if (status >= 300 && status < 400) fail(new Error(`answered ${status}: redirects are not followed`));
      else readBody(response, maxBytes, (content) => end(() => resolve({ server: server.label, status, body: content })), fail);
    });
    call.end(body);
  });
}

function readBody(response: IncomingMessage, maxBytes: number, done: (body: Buffer) => void, fail: (error: unknown) => void): void {
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding !== "gzip" && encoding !== "identity") {
    fail(new Error(`answered in the content encoding ${quoted(encoding)}`));
    return;
  }
  const content: Readable = encoding === "gzip" ? response.pipe(createGunzip()) : response;
  // It grows while the body comes: joining 32 MiB at the end would hold the event loop up.
  const announced = encoding === "gzip" ? 0 : Number(response.headers["content-length"] ?? 0);
  let buffer = Buffer.allocUnsafe(announced > 0 && announced <= maxBytes ? announced : firstBytes);
  let size = 0;
  const stop = (error: unknown) => {
    content.destroy();
    fail(error);
  };
  content.on("data", (chunk: Buffer) => {
    const end = size + chunk.byteLength;
    if (end > maxBytes) {
      stop(new Error(`answered more than ${maxBytes} bytes`));
      return;
    }
    if (end > buffer.byteLength) {
      const larger = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(end, buffer.byteLength * 2)));
      buffer.copy(larger, 0, 0, size);
      buffer = larger;
    }
    chunk.copy(buffer, size);
    size = end;
  });
  content.on("end", () => done(buffer.subarray(0, size)));
  content.on("error", stop);
  // pipe() does not forward errors, such as a connection that breaks off.
  if (content !== response) response.on("error", stop);
}
