import { localResponse } from "../../core/buffered-body.ts";
import type { MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import type { RouteAnswer, RouteRedirect } from "../route.ts";
import type { PathMatch } from "../route-match.ts";
import { checkedPath, compilePathChange } from "./rewritten-path.ts";

/** Makes the answer to a call that no instance sees. */
export type Answer = (request: MeshRequest) => MeshResponse;

/** The direct answer of a rule. */
export function directAnswer({ status, headers, body }: RouteAnswer): Answer {
  const hasBody = status !== 204 && status !== 205 && status !== 304;
  return ({ method }) => localResponse(status, hasBody && method !== "HEAD" ? body : "", headers);
}

/** The redirect of a rule, for calls that one of its matches lets through. The answer throws where the place would not be the one that is meant. */
export function redirectAnswer(redirect: RouteRedirect, match: PathMatch | undefined, rule: string): Answer {
  const { status = 301, stripQuery = false } = redirect;
  const change = compilePathChange(redirect, match);
  return (request) => {
    const at = request.path.indexOf("?");
    const path = at === -1 ? request.path : request.path.slice(0, at);
    const query = at === -1 || stripQuery ? "" : request.path.slice(at);
    const place = checkedPath(change === undefined ? path + query : change(path, query), request.service, rule);
    return localResponse(status, "", { location: originOf(redirect, request) + place });
  };
}

/** The origin in the location; none where the rule changes nothing of it. */
function originOf({ scheme, host, port }: RouteRedirect, request: MeshRequest): string {
  if (scheme === undefined && host === undefined && port === undefined) return "";
  const isSecure = scheme === undefined ? request.requiresTls : scheme === "https";
  const asked = (request.headers["host"] ?? request.service).replace(/:\d+$/, "");
  const isUsual = port === undefined || port === (isSecure ? 443 : 80);
  return `${isSecure ? "https" : "http"}://${host ?? asked}${isUsual ? "" : `:${port}`}`;
}
