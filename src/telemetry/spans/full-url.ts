import type { MeshRequest } from "../../core/dispatch.ts";
import { isSecretParameter } from "../../core/http/secret-parameters.ts";
import { withoutQuery } from "../../core/http/without-query.ts";
import type { Upstream } from "../../core/upstream.ts";

/** The query (without `?`); values of parameters that usually are secrets are replaced by `REDACTED`. */
export function redactQuery(query: string): string {
  return query
    .split("&")
    .map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 0) return pair;
      const name = pair.slice(0, equals);
      return isSecretParameter(name) ? `${name}=REDACTED` : pair;
    })
    .join("&");
}

/**
 * `url.full`: the URL that the caller addressed, so its host is the service (`server.address`); the instance is in `network.peer.address`.
 * It has the query only for `withQuery`, with secrets redacted.
 */
export function fullUrl(request: MeshRequest, upstream: Upstream, withQuery: boolean): string {
  const { service, path } = request;
  const bare = withoutQuery(path);
  const url = `${upstream.endpoint.secure ? "https" : "http"}://${service}${bare}`;
  return withQuery && bare.length < path.length ? `${url}?${redactQuery(path.slice(bare.length + 1))}` : url;
}
