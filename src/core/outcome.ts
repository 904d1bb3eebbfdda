import type { MeshResponse } from "./dispatch.ts";
import { isMeshError } from "./errors.ts";

/**
 * What an attempt says about its instance. `neutral`: nothing (the caller aborted, this process ran out of something,
 * discovery had no endpoint), so no breaker may count it either way.
 */
export type Outcome = "success" | "failure" | "neutral";

/** 502, 503 and 504: the gateway-error class, in which a server says that it, or what is behind it, is not there. */
export function isGatewayError(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** An answer of somebody who has no room for more: 429 and the gateway errors. */
export function isOverload(status: number): boolean {
  return status === 429 || isGatewayError(status);
}

/** The outcome of an attempt that was answered. 500 and 4xx are answers: they say that the instance is alive. */
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
      // What the last attempt says: repeating a fault of this process does not make it one of the service.
      return error.cause === undefined ? "failure" : outcomeOfError(error.cause);
    case "ERR_MESH_BODY":
      // A request body of the caller's that failed says nothing about the instance.
      return error.attempts.some((attempt) => attempt.phase === "body") ? "failure" : "neutral";
    default:
      return "neutral";
  }
}

const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"]);
const idempotentMethods: ReadonlySet<string> = new Set([...safeMethods, "PUT", "DELETE"]);

/** Which methods may be sent again after an attempt that may have been executed: RFC 9110 §9.2.1 (safe) or §9.2.2 (idempotent). */
export function isRetryableMethod(method: string, idempotent: "safe" | "idempotent"): boolean {
  return (idempotent === "idempotent" ? idempotentMethods : safeMethods).has(method);
}
