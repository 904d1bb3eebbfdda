import type { OutgoingHttpHeaders } from "node:http2";
import type { UndiciRequest } from "../undici/undici.ts";

/** Methods whose requests say that their content is empty. */
const expectContent: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** The head of a request over HTTP/2 (RFC 9113 §8.3.1) to `authority`, unless the request names another host. */
export function requestHead(request: UndiciRequest, scheme: string, authority: string): OutgoingHttpHeaders {
  const head: OutgoingHttpHeaders = Object.create(null);
  head[":method"] = request.method;
  head[":path"] = request.path;
  head[":scheme"] = scheme;
  head[":authority"] = request.host ?? authority;
  const { headers } = request;
  for (let index = 0; index < headers.length; index += 2) {
    const name = (headers[index] as string).toLowerCase();
    const given = headers[index + 1] as string | string[];
    // Cookies are joined by another separator, which Node does.
    for (const value of Array.isArray(given) ? given : [given]) {
      const before = head[name] as string | string[] | undefined;
      if (before === undefined) head[name] = value;
      else head[name] = name === "cookie" ? [before].flat().concat(value) : `${before}, ${value}`;
    }
  }
  const length = contentLengthOf(request);
  if (length !== undefined) head["content-length"] = String(length);
  return head;
}

/** The length of the content, where it is known before the content is sent. */
export function contentLengthOf({ body, method, contentLength }: UndiciRequest): number | undefined {
  if (body === null) return expectContent.has(method) ? 0 : undefined;
  if (body instanceof Uint8Array) return body.byteLength;
  if (body instanceof Blob) return body.size;
  return contentLength ?? undefined;
}
