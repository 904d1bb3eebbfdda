import { pathFault } from "../core/http/path-fault.ts";
import type { ServerRequest } from "../server/node-server.ts";
import { isAuthority, targetOf } from "./authority.ts";
import { isCircling } from "./forwarding.ts";
import type { GatewaySettings } from "./gateway-options.ts";
import type { Problem } from "./problem.ts";
import type { RequestHead } from "./request-head.ts";

/** Methods that are not passed on: a tunnel names no service, and a trace shows the headers that were added. */
const refusedMethods: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

export const tooLarge: Problem = { status: 413, headers: { connection: "close" }, detail: "the request is too large" };

/** The path of a request that is passed on, or the answer to one that is not. Sets the host of the head by that of HTTP/2. */
export function judgeRequest(request: ServerRequest, head: RequestHead, { via }: GatewaySettings): string | Problem {
  const { method = "", url = "/" } = request;
  if (refusedMethods.has(method)) return { status: 405, headers: {} };
  // Node.js reads a line without a version as HTTP/0.9, which has no headers.
  if (request.httpVersion === "0.9") return { status: 505, headers: { connection: "close" } };
  if (request.httpVersionMajor >= 2) readAuthority(head, (request as { readonly authority?: string }).authority);
  const { path, fault } = targetOf(url, head.host);
  const wrong = head.fault ?? faultOfHead(head) ?? fault ?? pathFault(path) ?? (path.includes("#") ? "its path has a fragment" : undefined);
  if (wrong !== undefined) return { status: 400, headers: { connection: "close" }, detail: wrong };
  if (via !== false && head.via !== undefined && isCircling(head.via, via)) return { status: 508, headers: {} };
  return path;
}

/** Whether a request says that its body is larger than it may be. */
export function isTooLarge({ contentLength }: RequestHead, maxBytes: number | false): boolean {
  return maxBytes !== false && contentLength !== undefined && Number(contentLength) > maxBytes;
}

function readAuthority(head: RequestHead, authority: string | undefined): void {
  if (authority === undefined || authority === "") return;
  if (head.host !== undefined && head.host.toLowerCase() !== authority.toLowerCase()) head.fault = "it names two hosts";
  head.host = authority;
}

function faultOfHead({ host, isChunked, contentLength }: RequestHead): string | undefined {
  if (isChunked && contentLength !== undefined) return "it has a length beside a transfer encoding";
  return host === undefined || isAuthority(host) ? undefined : "its host is no host";
}

/** Whether a body follows the head of a request. HTTP/2 tells with the head that none does. */
export function hasBody(request: ServerRequest, contentLength: string | undefined, isChunked: boolean): boolean {
  if (request.httpVersionMajor < 2) return isChunked || (contentLength ?? "0") !== "0";
  return !(request.complete || (request as { readonly stream?: { readonly endAfterHeaders?: boolean } }).stream?.endAfterHeaders === true);
}
