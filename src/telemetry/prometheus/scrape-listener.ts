import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { acceptsGzip, type Format, formatFor } from "./scrape-format.ts";

/** Scrapes that may be under way at once, as in the official clients of Prometheus. */
const maxUnderWay = 40;
const compress = promisify(gzip);

/**
 * Answers GET and HEAD with the text of `read`, in the format and coding that the client prefers, and other methods with 405. An error of
 * `read` is a 500 without details and one process warning. More than 40 scrapes at once are refused with 503; one that takes longer than
 * `timeoutMs` gets a 503, or the end of its connection once the answer has begun.
 */
export function scrapeListener(read: (format: Format) => Promise<string>, timeoutMs: number): RequestListener {
  let underWay = 0;
  let hasWarned = false;
  const warn = (error: unknown): void => {
    if (hasWarned) return;
    hasWarned = true;
    process.emitWarning(`a scrape failed: ${String(error)}`, "MeshScrapeWarning");
  };
  return (request, response) => {
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") {
      // An unread body would be taken for the next request.
      request.resume();
      return refuse(response, 405, "only GET and HEAD", { allow: "GET, HEAD" });
    }
    if (underWay === maxUnderWay) return refuse(response, 503, "too many scrapes at once");
    underWay++;
    const timer = setTimeout(() => {
      if (response.headersSent) response.destroy();
      else refuse(response, 503, "the scrape took too long");
    }, timeoutMs);
    timer.unref();
    response.once("close", () => {
      clearTimeout(timer);
      underWay--;
    });
    answer(request, response, read).catch((error: unknown) => {
      warn(error);
      if (!response.headersSent) refuse(response, 500, "the scrape failed");
    });
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, read: (format: Format) => Promise<string>): Promise<void> {
  const { accept, "accept-encoding": acceptEncoding } = request.headers;
  const format = formatFor(accept);
  const isCompressed = acceptsGzip(typeof acceptEncoding === "string" ? acceptEncoding : undefined);
  const text = Buffer.from(await read(format));
  // The fastest level compresses to a tenth; higher levels take three times as long for little more.
  const body = isCompressed ? await compress(text, { level: constants.Z_BEST_SPEED }) : text;
  // The client has gone, or the time limit has passed.
  if (response.headersSent || response.destroyed) return;
  response.writeHead(200, {
    "content-type": format,
    "content-length": body.byteLength,
    ...(isCompressed ? { "content-encoding": "gzip" } : undefined),
    vary: "Accept, Accept-Encoding",
    "cache-control": "no-store",
  });
  response.end(body);
}

function refuse(response: ServerResponse, status: number, why: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...headers });
  response.end(`${why}\n`);
}
