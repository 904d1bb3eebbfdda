import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import type { TlsFiles } from "../registry/tls-files.ts";

/** The answer of a server. */
export interface ProbeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body, at most 1 MiB of it. */
  readonly body: string;
  /** When the response head arrived, in milliseconds since the epoch by the clock of this machine. */
  readonly atMs: number;
  /** Milliseconds to the response head. */
  readonly ms: number;
}

/** A request of a check, which changes nothing. */
export interface ProbeRequest {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly tls: TlsFiles;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const maxBody = 2 ** 20;

/** Sends one request on a new connection; follows no redirect. Rejects with the error of the system, or after `timeoutMs`. */
export function probe(url: string, { method = "GET", headers = {}, body, tls, timeoutMs, signal }: ProbeRequest): Promise<ProbeAnswer> {
  const { ca, cert, key, servername } = tls;
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...(servername && { servername }) };
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const parsed = new URL(url);
    const isSecure = parsed.protocol === "https:";
    const call = (isSecure ? httpsRequest : httpRequest)({
      ...(isSecure ? { ...files, rejectUnauthorized: true } : {}),
      agent: false,
      method,
      hostname: parsed.hostname.replace(/^\[|\]$/g, ""),
      port: parsed.port === "" ? (isSecure ? 443 : 80) : Number(parsed.port),
      path: parsed.pathname + parsed.search,
      headers: { accept: "application/json", ...headers },
      signal,
    });
    const timer = setTimeout(() => call.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      settle();
      call.destroy();
    };
    call.on("error", (error) => end(() => reject(error)));
    call.on("response", (response) => {
      const answer = { status: response.statusCode ?? 0, headers: response.headers, atMs: Date.now(), ms: performance.now() - startedAt };
      const chunks: Buffer[] = [];
      let size = 0;
      const done = (): void => end(() => resolve({ ...answer, body: Buffer.concat(chunks).toString().slice(0, maxBody) }));
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.byteLength;
        if (size >= maxBody) done();
      });
      response.on("end", done);
      response.on("error", (error) => end(() => reject(error)));
    });
    call.end(body);
  });
}

/** ` (text/html)`, for a message about an answer of something else; nothing without a type. */
export function typeOf({ headers }: Pick<ProbeAnswer, "headers">): string {
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  return type === "" ? "" : ` (${type.trim().slice(0, 60)})`;
}
