import type { MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { isMeshError } from "../../core/errors.ts";
import { isReplayable } from "../../core/http/body.ts";
import { headerOf } from "../../core/http/response-headers.ts";
import type { RetryDenial } from "../../core/observing/events.ts";
import { isGatewayError, isRetryableMethod } from "../../core/outcome.ts";

/** How an attempt ended that the caller should not see if another one can do better. */
export type Failure =
  | { readonly error: unknown; readonly response?: undefined }
  | { readonly response: MeshResponse; readonly error?: undefined };

/** Whether another attempt is safe, and on what terms. */
export type Decision =
  | {
      readonly retry: true;
      readonly reason: string;
      /** Not charged to the retry budget: the request never reached an instance, so no instance gets more of them. */
      readonly isFree: boolean;
      /** Without a pause: another instance may do at once what this one could not, and nobody is hit twice. */
      readonly isImmediate: boolean;
    }
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
export function decide(request: MeshRequest, failure: Failure, idempotent: "safe" | "idempotent" | "declared"): Decision {
  const classified = failure.response === undefined ? classifyError(request, failure.error) : classifyResponse(failure.response);
  if (classified === undefined) return never;
  const { kind, reason, isOnce = false } = classified;
  if (isOnce && request.attempt > 1) return { retry: false, denial: "attempts" };
  const isFirst = request.attempt === 1;
  if (kind === "unsent") return { retry: true, reason, isFree: true, isImmediate: isFirst && !isOnce };
  const isSafe = request.options.idempotent ?? (idempotent === "declared" || isRetryableMethod(request.method, idempotent));
  if (kind === "executed" && !isSafe) return { retry: false, denial: "not-safe" };
  // Refused or failed after it was sent: the body may have been read.
  if (!isReplayable(request.body)) return { retry: false, denial: "body" };
  // A connection that refuses one stream is closing; a second refusal is a service in trouble (gRFC A6).
  const isTransparent = kind === "refused" && isFirst;
  return { retry: true, reason, isFree: isTransparent, isImmediate: isTransparent };
}

interface Classified {
  /**
   * `unsent`: not one byte reached an instance. `refused`: the HTTP/2 layer of the instance says that it did not process the
   * request. `declined`: its answer says so; the answer of an instance that is out to be hit again may say so too, so it is
   * charged. `executed`: it may have been processed.
   */
  readonly kind: "unsent" | "refused" | "declined" | "executed";
  readonly reason: string;
  /** Worth one more attempt, not two. */
  readonly isOnce?: boolean;
}

function classifyError(request: MeshRequest, error: unknown): Classified | undefined {
  if (!isMeshError(error)) return undefined;
  const last = request.attempts.at(-1);
  switch (error.code) {
    case "ERR_MESH_CONNECT":
    case "ERR_MESH_TLS_PEER":
      return { kind: "unsent", reason: error.code };
    case "ERR_MESH_LOCAL_RESOURCE":
      // When this process is out of descriptors, more attempts need more of them.
      return { kind: "unsent", reason: error.code, isOnce: true };
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
      return { kind: "declined", reason };
    case 425:
      // It asks for the same request outside of early data, in which nothing is sent here (RFC 8470 §5.2).
      return { kind: "declined", reason, isOnce: true };
    case 503:
      return { kind: headerOf(response, "x-mesh-refused") === "1" ? "declined" : "executed", reason };
    case 408:
    case 502:
    case 504:
      return { kind: "executed", reason };
    default:
      return undefined;
  }
}
