import type { MeshRequest } from "../core/dispatch.ts";
import { copyOfHeaders, type RequestHeaders } from "../core/http/request-headers.ts";
import { changedHeaders } from "./actions/header-changes.ts";
import { checkedPath } from "./actions/rewritten-path.ts";
import type { Decision } from "./compiled-rule.ts";

/**
 * The request as a decision sends it: to another service, with another path, with other headers.
 * @throws MeshError `ERR_MESH_ROUTE` where the rule makes a path that is not sent.
 */
export function appliedTo(request: MeshRequest, decision: Decision): MeshRequest {
  const { target, changePath } = decision;
  return {
    ...request,
    service: target.service ?? request.service,
    path: changePath === undefined ? request.path : newPath(request, decision),
    headers: newHeaders(request.headers, decision),
    routed: target.routed,
  };
}

function newPath({ path, service }: MeshRequest, { changePath, rule }: Decision): string {
  const at = path.indexOf("?");
  const changed = at === -1 ? changePath?.(path, "") : changePath?.(path.slice(0, at), path.slice(at));
  return checkedPath(changed ?? path, service, rule.name);
}

function newHeaders(headers: RequestHeaders, { rule, target }: Decision): RequestHeaders {
  let changed = headers;
  if (rule.requestHeaders !== undefined) changed = changedHeaders(changed, rule.requestHeaders);
  if (target.requestHeaders !== undefined) changed = changedHeaders(changed, target.requestHeaders);
  if (rule.host === undefined) return changed;
  const copy = copyOfHeaders(changed);
  copy["host"] = rule.host;
  return copy;
}
