import type { MeshResponse } from "./dispatch.ts";
import { isMeshError } from "./errors.ts";
import { countedStatus } from "./rpc/rpc-outcome.ts";

/**
 * The outcome of an attempt, as evidence about its instance. `neutral` is no evidence (the caller aborted, this process ran out of a
 * resource, discovery had no endpoint): no breaker counts it.
 */
export type Outcome = "success" | "failure" | "neutral";

/** Whether a status is 502, 503 or 504: the server, or a server behind it, is not available. */
export function isGatewayError(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** Whether a status says that one caller has sent too much (RFC 6585 §4): evidence neither against the service nor for its room. */
export function isOfOneCaller(status: number): boolean {
  return status === 429;
}

/** The responses by which an instance says that a time has passed which was too short for it. */
const excusedResponses = new WeakSet<object>();

/** Notes that a response is no evidence against its instance, for {@link outcomeOfResponse}. */
export function excuseResponse(response: object): void {
  excusedResponses.add(response);
}

/** The outcome of an attempt that has a response. 500 and 4xx are no failures: the instance works, and answers. */
export function outcomeOfResponse(response: Pick<MeshResponse, "status" | "rpcStatus">): Outcome {
  if (!isGatewayError(countedStatus(response))) return "success";
  return excusedResponses.has(response) ? "neutral" : "failure";
}

/** Judges whether an instance was waited for long enough for its silence to count. */
export interface WaitJudge {
  /** `inBody`: the wait was for the next byte of a body, not for the response head. */
  isEnough(waitedMs: number, inBody: boolean): boolean;
}

/** The end of an attempt: all that decides whether its instance could have done better. */
export interface AttemptEnding {
  /** The error; `undefined` for a response that came whole. */
  readonly error: unknown;
  /** The status of the response head; `undefined` where none came. */
  readonly status: number | undefined;
  /**
   * The time for which the instance was waited for in vain when the attempt ended, in milliseconds: for its head, since the request was out; in
   * the body, since its last byte, and 0 without a reader that waits.
   */
  readonly waitedMs: number;
  /** Judges the wait. */
  readonly patience: WaitJudge;
  /**
   * Whether the request was one that an instance may refuse by closing the connection, before it has an answer or before that was read: its head
   * is larger than many servers take, or its body was still on its way.
   */
  readonly isRefusable: boolean;
}

/**
 * The outcome of an attempt as evidence about its instance, by every door. An instance is to blame for what it could have done better: a limit
 * that left it less time than it needs, and silence for which no reader waits, are no evidence.
 */
export function outcomeOfAttempt({ error, status, waitedMs, patience, isRefusable }: AttemptEnding): Outcome {
  if (error === undefined) return status === undefined ? "success" : outcomeOfResponse({ status });
  const outcome = outcomeByCode(error);
  if (outcome !== "failure" || !isMeshError(error)) return outcome;
  switch (error.code) {
    case "ERR_MESH_TIMEOUT":
      return patience.isEnough(waitedMs, status !== undefined) ? "failure" : "neutral";
    case "ERR_MESH_PROTOCOL":
      return isRefusable ? "neutral" : "failure";
    case "ERR_MESH_BODY":
      // Of a refusal the status is all that counts: a server that closes at once, with parts of the request unread, cuts its own answer off.
      return status !== undefined && isRefusal(status) ? "neutral" : "failure";
    default:
      return outcome;
  }
}

/** Whether a status says that the request was wrong. */
function isRefusal(status: number): boolean {
  return status >= 400 && status <= 499;
}

/** The errors for which no attempt that they ended was to blame, and those for which one was. */
const excused = new WeakSet<object>();
const charged = new WeakSet<object>();

/** Notes the outcome of an attempt that `error` ended, for {@link outcomeOfError}: several attempts may have ended with the deadline of their call. */
export function noteOutcome(error: unknown, outcome: Outcome): void {
  if (!isMeshError(error)) return;
  if (outcome === "failure") {
    charged.add(error);
    excused.delete(error);
  } else if (!charged.has(error)) excused.add(error);
}

/** The outcome of a call or an attempt that failed with `error`, after its attempts have been judged. */
export function outcomeOfError(error: unknown): Outcome {
  return isMeshError(error) && excused.has(error) ? "neutral" : outcomeByCode(error);
}

function outcomeByCode(error: unknown): Outcome {
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
export function isUnreachable(error: unknown): boolean {
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
