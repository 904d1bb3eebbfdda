import { isReplayable } from "../core/body.ts";
import { headerOf, type MeshRequest, type MeshResponse } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import type { RetryDenial } from "../core/observer.ts";
import { isGatewayError, isRetryableMethod } from "../core/outcome.ts";

/** How an attempt ended that the caller should not see if another one can do better. */
export type Failure =
  | { readonly error: unknown; readonly response?: undefined }
  | { readonly response: MeshResponse; readonly error?: undefined };

/**
 * Whether another attempt is safe. `unsent`: it is certain that no instance executed the request, so it is not charged to
 * the retry budget. `safe`: executing it twice does no harm.
 */
export type Decision =
  | { readonly retry: "unsent" | "safe"; readonly reason: string }
  | { readonly retry: false; readonly denial: RetryDenial | undefined };

const never: Decision = { retry: false, denial: undefined };

/** A response that another attempt could better, or not: 408, 421, 425 and the gateway errors. */
export function isFailedResponse({ status }: Pick<MeshResponse, "status">): boolean {
  return isGatewayError(status) || status === 408 || status === 421 || status === 425;
}

/**
 * The retry table. A second attempt is made only when the first provably never reached an instance, when the method is
 * safe (RFC 9110 §9.2.1), or when the caller has said so. 500 and 429 are answers and are not retried.
 */
export function decide(request: MeshRequest, failure: Failure, idempotent: "safe" | "rfc9110"): Decision {
  const classified = failure.response === undefined ? classifyError(request, failure.error) : classifyResponse(failure.response);
  if (classified === undefined) return never;
  if (classified.kind === "unsent") return { retry: "unsent", reason: classified.reason };
  const isSafe = request.options.idempotent ?? isRetryableMethod(request.method, idempotent);
  if (classified.kind === "executed" && !isSafe) return { retry: false, denial: "not-safe" };
  // Refused or failed after it was sent: the body may have been read.
  if (!isReplayable(request.body)) return { retry: false, denial: "body" };
  return { retry: classified.kind === "refused" ? "unsent" : "safe", reason: classified.reason };
}

interface Classified {
  /** `refused`: sent, but the instance said that it did not process it. `executed`: it may have. */
  readonly kind: "unsent" | "refused" | "executed";
  readonly reason: string;
}

function classifyError(request: MeshRequest, error: unknown): Classified | undefined {
  if (!isMeshError(error)) return undefined;
  const last = request.attempts.at(-1);
  switch (error.code) {
    case "ERR_MESH_CONNECT":
    case "ERR_MESH_TLS_PEER":
      return { kind: "unsent", reason: error.code };
    case "ERR_MESH_LOCAL_RESOURCE":
      // Once: when this process is out of descriptors, more attempts need more of them.
      return request.attempt === 1 ? { kind: "unsent", reason: error.code } : undefined;
    case "ERR_MESH_TIMEOUT":
    case "ERR_MESH_PROTOCOL":
      if (last === undefined || last.phase === "body") return undefined;
      if (last.maybeExecuted) return { kind: "executed", reason: error.code };
      return { kind: last.phase === "connect" ? "unsent" : "refused", reason: error.code };
    default:
      return undefined;
  }
}

function classifyResponse(response: MeshResponse): Classified | undefined {
  const reason = String(response.status);
  switch (response.status) {
    case 421:
    case 425:
      return { kind: "refused", reason };
    case 503:
      return { kind: headerOf(response, "x-mesh-refused") === "1" ? "refused" : "executed", reason };
    case 408:
    case 502:
    case 504:
      return { kind: "executed", reason };
    default:
      return undefined;
  }
}
