import type { MeshRequest } from "../../core/dispatch.ts";
import type { Upstream } from "../../core/upstream.ts";

// Signatures and keys that the semantic conventions name, and what else usually is a secret.
const secretParameters: ReadonlySet<string> = new Set([
  "awsaccesskeyid",
  "signature",
  "sig",
  "x-goog-signature",
  "x-amz-signature",
  "x-amz-credential",
  "x-amz-security-token",
  "access_token",
  "refresh_token",
  "id_token",
  "token",
  "api_key",
  "apikey",
  "key",
  "code",
  "auth",
  "authorization",
  "client_secret",
  "secret",
  "password",
  "passwd",
  "pwd",
  "session",
  "sessionid",
]);

/** The query (without `?`) with the values of parameters that usually are secrets replaced by `REDACTED`. */
export function redactQuery(query: string): string {
  return query
    .split("&")
    .map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 0) return pair;
      const name = pair.slice(0, equals);
      return secretParameters.has(decoded(name).toLowerCase()) ? `${name}=REDACTED` : pair;
    })
    .join("&");
}

/**
 * `url.full`: what the caller addressed, so its host is the service (`server.address`); the instance is in
 * `network.peer.address`. Without the query unless `withQuery`, and then with secrets redacted.
 */
export function fullUrl(request: MeshRequest, upstream: Upstream, withQuery: boolean): string {
  const { path } = request;
  const scheme = upstream.endpoint.secure ? "https" : "http";
  const question = path.indexOf("?");
  if (question < 0) return `${scheme}://${request.service}${path}`;
  const bare = `${scheme}://${request.service}${path.slice(0, question)}`;
  return withQuery ? `${bare}?${redactQuery(path.slice(question + 1))}` : bare;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // Not an encoding of anything: compared as it is.
    return name;
  }
}
