import type { MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { isMeshError } from "../../core/errors.ts";
import { isReplayable } from "../../core/http/body.ts";
import { refusedHeader } from "../../core/http/own-headers.ts";
import { headerOf } from "../../core/http/response-headers.ts";
import type { RetryDenial } from "../../core/observing/events.ts";
import { isGatewayError, isRetryableMethod } from "../../core/outcome.ts";
import { countedStatus } from "../../core/rpc/rpc-outcome.ts";
import { rpcStatusName } from "../../core/rpc/rpc-status.ts";
import type { RetryCondition } from "./retry-options.ts";

/** The end of an attempt that failed: its error, or a response that is a failure. */
export type Failure =
  | { readonly error: unknown; readonly response?: undefined }
  | { readonly response: MeshResponse; readonly error?: undefined };

/** Whether another attempt may be made, and on what terms. */
export type Decision =
  | {
      readonly retry: true;
      readonly reason: string;
      /** Whether the retry is not charged to the budget, since the failed attempt has added no load to an instance. */
      readonly isFree: boolean;
      /** Whether the retry is made without a pause: another instance can take the request at once. */
      readonly isImmediate: boolean;
    }
  | { readonly retry: false; readonly denial: RetryDenial | undefined };

const never: Decision = { retry: false, denial: undefined };

/** Which failures may be followed by another attempt. */
export interface RetryRules {
  /** The methods that may be executed twice; `declared`: the request says that it may. */
  readonly methods: "safe" | "idempotent" | "declared" | readonly string[];
  /** `undefined`: every failure in which another attempt may help. */
  readonly on?: readonly RetryCondition[] | undefined;
}

/** Whether a response is a failure by these rules. */
export function isFailedBy(on: readonly RetryCondition[] | undefined, response: Pick<MeshResponse, "status" | "rpcStatus">): boolean {
  return on === undefined ? isFailedResponse(response) : hasStatus(on, countedStatus(response));
}

function hasStatus(on: readonly RetryCondition[], status: number): boolean {
  return on.includes(status) || (status >= 500 && on.includes("5xx"));
}

/** Whether a response is a failure that another attempt may turn into a success: 408, 421, 425 and the gateway errors. */
export function isFailedResponse(response: Pick<MeshResponse, "status" | "rpcStatus">): boolean {
  const status = countedStatus(response);
  return isGatewayError(status) || status === 408 || status === 421 || status === 425;
}

/**
 * The table of retries. An attempt is repeated where no instance has executed it, where its method may be executed twice (`retry.methods`), and
 * where the request is declared idempotent. 500 and 429 are answers: they are not retried.
 */
export function decide(request: MeshRequest, failure: Failure, { methods, on }: RetryRules): Decision {
  const classified = failure.response === undefined ? classifyError(request, failure.error) : classifyResponse(failure.response, on);
  if (classified === undefined || !isListed(on, classified, failure)) return never;
  const { kind, reason, isOnce = false } = classified;
  if (isOnce && request.attempt > 1) return { retry: false, denial: "attempts" };
  const isFirst = request.attempt === 1;
  if (kind === "unsent") return { retry: true, reason, isFree: true, isImmediate: isFirst && !isOnce };
  const isSafe = request.options.idempotent ?? mayBeExecutedTwice(request.method, methods);
  if (kind === "executed" && !isSafe) return { retry: false, denial: "not-safe" };
  // The request was sent: its body may have been read.
  if (!isReplayable(request.body)) return { retry: false, denial: "body" };
  // Usually a refused stream means a connection that is closing; a second refusal means a service in trouble (gRFC A6).
  const isTransparent = kind === "refused" && isFirst;
  return { retry: true, reason, isFree: isTransparent, isImmediate: isTransparent };
}

function mayBeExecutedTwice(method: string, methods: RetryRules["methods"]): boolean {
  if (methods === "declared") return true;
  return typeof methods === "string" ? isRetryableMethod(method, methods) : methods.includes(method);
}

/** Whether the rules have this failure. */
function isListed(on: RetryRules["on"], { kind, reason }: Classified, { response }: Failure): boolean {
  if (on === undefined) return true;
  if (response !== undefined) return hasStatus(on, countedStatus(response));
  if (kind === "unsent") return on.includes("connect");
  if (kind === "refused") return on.includes("refused");
  return on.includes(reason === "ERR_MESH_TIMEOUT" ? "timeout" : "reset");
}

interface Classified {
  /**
   * `unsent`: not one byte of the request was sent. `refused`: the instance did not process the request, by the word of its HTTP/2 layer.
   * `declined`: it did not, by the word of its response; such a retry is charged to the budget, since a hostile instance could ask for ever
   * more of them. `executed`: the instance may have processed the request.
   */
  readonly kind: "unsent" | "refused" | "declined" | "executed";
  readonly reason: string;
  /** Whether one retry is made at most. */
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
      // Each further attempt needs one more of the resource that is used up.
      return { kind: "unsent", reason: error.code, isOnce: true };
    case "ERR_MESH_TIMEOUT":
    case "ERR_MESH_PROTOCOL":
      if (last === undefined || last.phase === "body") return undefined;
      if (last.maybeExecuted) return { kind: "executed", reason: error.code };
      return { kind: last.phase === "connect" ? "unsent" : "refused", reason: error.code };
    case "ERR_MESH_BODY":
      // Nothing of an answer that is read whole was given to the caller. One that was refused here has no code.
      if (request.rpc?.whole === undefined || last?.phase !== "body" || last.code === undefined) return undefined;
      return { kind: "executed", reason: error.code };
    default:
      return undefined;
  }
}

function classifyResponse(response: MeshResponse, on: RetryRules["on"]): Classified | undefined {
  const status = countedStatus(response);
  const reason = response.rpcStatus === undefined ? String(status) : rpcStatusName(response.rpcStatus);
  switch (status) {
    case 421:
      return { kind: "declined", reason };
    case 425:
      // It asks for the request outside of TLS early data, which is never used here (RFC 8470 §5.2).
      return { kind: "declined", reason, isOnce: true };
    case 503:
      return { kind: headerOf(response, refusedHeader) === "1" ? "declined" : "executed", reason };
    case 408:
    case 502:
    case 504:
      return { kind: "executed", reason };
    default:
      return on !== undefined && hasStatus(on, status) ? { kind: "executed", reason } : undefined;
  }
}
