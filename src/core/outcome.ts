import type { MeshResponse } from "./dispatch.ts";
import { isMeshError } from "./errors.ts";

/**
 * The outcome of an attempt, as evidence about its instance. `neutral` is no evidence (the caller aborted, this process ran out of a
 * resource, discovery had no endpoint): no breaker counts it.
 */
export type Outcome = "success" | "failure" | "neutral";

/** Whether a status is 502, 503 or 504: the server, or a server behind it, is not available. */
export function isGatewayError(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** Whether a status means that the server accepts no more requests at present: 429, and the gateway errors. */
export function isOverload(status: number): boolean {
  return status === 429 || isGatewayError(status);
}

/** The outcome of an attempt that has a response. 500 and 4xx are no failures: the instance works, and answers. */
export function outcomeOfResponse(response: Pick<MeshResponse, "status">): Outcome {
  return isGatewayError(response.status) ? "failure" : "success";
}

/** The outcome of an attempt that failed with `error`. */
export function outcomeOfError(error: unknown): Outcome {
  if (!isMeshError(error)) return "neutral";
  switch (error.code) {
    case "ERR_MESH_CONNECT":
    case "ERR_MESH_TLS_PEER":
    case "ERR_MESH_PROTOCOL":
    case "ERR_MESH_TIMEOUT":
      return "failure";
    case "ERR_MESH_RETRY_EXHAUSTED":
      // The outcome of the last attempt: a fault of this process is none of the service, however often it is repeated.
      return error.cause === undefined ? "failure" : outcomeOfError(error.cause);
    case "ERR_MESH_BODY":
      // Without a response head, it was the caller's request body that failed.
      return error.attempts.some((attempt) => attempt.phase === "body") ? "failure" : "neutral";
    default:
      return "neutral";
  }
}

/** Whether an attempt failed because no connection could be made, TLS handshake included: proof enough with a single failure, by every door. */
export function isRefusal(error: unknown): boolean {
  return isMeshError(error) && (error.code === "ERR_MESH_CONNECT" || error.code === "ERR_MESH_TLS_PEER");
}

const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"]);
const idempotentMethods: ReadonlySet<string> = new Set([...safeMethods, "PUT", "DELETE"]);

/**
 * Whether a request of this method may be sent again after an attempt that may have been executed: RFC 9110 §9.2.1 (safe) or §9.2.2
 * (idempotent).
 */
export function isRetryableMethod(method: string, idempotent: "safe" | "idempotent"): boolean {
  return (idempotent === "idempotent" ? idempotentMethods : safeMethods).has(method);
}
