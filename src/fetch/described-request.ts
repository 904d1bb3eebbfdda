import type { MeshRequest } from "../core/dispatch.ts";
import { isUrl } from "./brands.ts";
import { readCall } from "./read-call.ts";
import type { FetchTarget, MeshRequestInit } from "./request-init.ts";

/**
 * The request that a call of `mesh.fetch` with these arguments makes, without its body: for questions about calls.
 * @throws MeshError `ERR_MESH_INVALID_TARGET`, TypeError or RangeError for a wrong init.
 */
export function describedRequest(input: FetchTarget, init: MeshRequestInit = {}): MeshRequest {
  const request = typeof input === "string" || isUrl(input) ? undefined : (input as Request);
  const target = typeof input === "string" ? input : isUrl(input) ? input.href : (input as Request).url;
  const method = init.method ?? request?.method;
  const headers = init.headers ?? request?.headers;
  const read = readCall(target, {
    ...(method === undefined ? {} : { method }),
    ...(headers === undefined ? {} : { headers }),
    ...(init.mesh === undefined ? {} : { mesh: init.mesh }),
  });
  if (read instanceof Promise) throw new TypeError("a call without a body is read at once");
  return read.request;
}
