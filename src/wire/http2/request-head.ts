import type { UndiciRequest } from "../undici/undici.ts";

/** Methods whose requests say that their content is empty. */
const expectContent: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/**
 * The head of a request over HTTP/2 (RFC 9113 §8.3.1) to `authority`, unless the request names another host: names and values in turn, each name once. In the
 * form of an object, Node needs three times as long for it.
 */
export function requestHead(request: UndiciRequest, scheme: string, authority: string): readonly string[] {
  const head = [":method", request.method, ":path", request.path, ":scheme", scheme, ":authority", request.host ?? authority];
  const { headers } = request;
  for (let index = 0; index < headers.length; index += 2) {
    const given = headers[index + 1] as string | string[];
    const name = (headers[index] as string).toLowerCase();
    if (Array.isArray(given)) for (const value of given) add(head, name, value);
    else add(head, name, given);
  }
  const length = contentLengthOf(request);
  if (length !== undefined) add(head, "content-length", String(length));
  return head;
}

/** Adds a header, to the value that is there where there is one (RFC 9110 §5.3). Cookies have another separator. */
function add(head: string[], name: string, value: string): void {
  for (let at = 0; at < head.length; at += 2) {
    if (head[at] !== name) continue;
    head[at + 1] = name === "content-length" ? value : `${head[at + 1]}${name === "cookie" ? "; " : ", "}${value}`;
    return;
  }
  head.push(name, value);
}

/** The length of the content, where it is known before the content is sent. */
export function contentLengthOf({ body, method, contentLength }: UndiciRequest): number | undefined {
  if (body === null) return expectContent.has(method) ? 0 : undefined;
  if (body instanceof Uint8Array) return body.byteLength;
  if (body instanceof Blob) return body.size;
  return contentLength ?? undefined;
}
