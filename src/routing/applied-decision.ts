import type { CallOptions, MeshRequest } from "../core/dispatch.ts";
import { copyOfHeaders, type RequestHeaders } from "../core/http/request-headers.ts";
import { changedHeaders } from "./actions/header-changes.ts";
import { checkedPath } from "./actions/rewritten-path.ts";
import type { Decision } from "./compiled-rule.ts";
import { RoutedCall } from "./matching/routed-call.ts";

/**
 * The request as a decision sends it: to another service, with another path, with other headers.
 * @throws MeshError `ERR_MESH_ROUTE` where the rule makes a path that is not sent.
 */
export function appliedTo(request: MeshRequest, decision: Decision): MeshRequest {
  const { rule, target, changePath } = decision;
  return {
    ...request,
    service: target.service ?? request.service,
    path: changePath === undefined ? request.path : newPath(request, decision),
    headers: newHeaders(request, decision),
    options: rule.hashKey === undefined ? request.options : keyedOptions(request, decision),
    routed: target.routed,
  };
}

function newPath({ path, service }: MeshRequest, { changePath, rule }: Decision): string {
  const at = path.indexOf("?");
  const changed = at === -1 ? changePath?.(path, "") : changePath?.(path.slice(0, at), path.slice(at));
  return checkedPath(changed ?? path, service, rule.name);
}

function newHeaders(request: MeshRequest, { rule, target }: Decision): RequestHeaders {
  let { headers } = request;
  if (rule.requestHeaders !== undefined) headers = changedHeaders(headers, rule.requestHeaders, request);
  if (target.requestHeaders !== undefined) headers = changedHeaders(headers, target.requestHeaders, request);
  if (rule.host === undefined) return headers;
  const copy = copyOfHeaders(headers);
  copy["host"] = rule.host;
  return copy;
}

/** The options with the key of the rule, where the call has none of its own. */
function keyedOptions(request: MeshRequest, { rule }: Decision): CallOptions {
  if (request.options.hashKey !== undefined) return request.options;
  const call = new RoutedCall();
  call.begin(request);
  const hashKey = rule.hashKey?.(call);
  return hashKey === undefined ? request.options : { ...request.options, hashKey };
}
