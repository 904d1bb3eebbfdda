import type { MeshRequest } from "../core/dispatch.ts";
import { type AttemptRecord, describeError, isMeshError, MeshError, type MeshErrorCode } from "../core/errors.ts";
import { isLocalResourceError } from "../core/local-resources.ts";

/** The state of an attempt when the transport reported an error. */
export interface FailedAttempt {
  readonly request: MeshRequest;
  /** undici has begun to write the request to a socket. While it is `false`, no instance has executed anything; error codes prove nothing. */
  readonly isSent: boolean;
  /** The response head had arrived. */
  readonly hasHead: boolean;
  readonly status: number | undefined;
  readonly ms: number;
  /** The place of this attempt in the call's records, if it has one. */
  readonly index: number | undefined;
}

/** Tells a pool that is about to send a request that the request was given up. */
export const abandoned: Error = new Error("given up before it was sent");

/** An error that the caller has made, such as a body stream that throws. */
export class CallerFault extends Error {}

/**
 * The caller's error for an error of the transport. Its code says which part failed; the record, which is added to the call's attempts, says
 * whether the request may have been executed.
 */
export function failureOf(attempt: FailedAttempt, cause: unknown): Error {
  const code = codeOf(attempt, cause);
  const { request } = attempt;
  forgetData(cause);
  record(attempt, causeCodeOf(cause) ?? (code === "caller" ? undefined : code), maybeExecuted(attempt, cause));
  if (code === "caller") return new TypeError(describeError(cause), { cause });
  const where = `${request.upstream?.address ?? "?"} of "${request.service}"`;
  return new MeshError(code, `${what[code] ?? "failed"} ${where}: ${limits[causeCodeOf(cause) ?? ""] ?? describeError(cause)}`, {
    service: request.service,
    attempts: [...request.attempts],
    cause,
  });
}

/** undici's parser keeps the bytes that it could not read. A peer that echoes the request would put its credentials into the error. */
function forgetData(cause: unknown): void {
  if (cause instanceof Error && cause.name === "HTTPParserError") Reflect.deleteProperty(cause, "data");
}

/** Records the state of an attempt, in the place of an earlier record of it. Returns the place. */
export function record(
  { request, isSent, hasHead, status, ms, index }: FailedAttempt,
  code: string | undefined,
  executed: boolean,
): number {
  const { upstream, attempts } = request;
  const at = index ?? attempts.length;
  const entry: { -readonly [Key in keyof AttemptRecord]: AttemptRecord[Key] } = {
    endpoint: upstream?.id,
    address: upstream?.address,
    phase: hasHead ? "body" : isSent ? "headers" : "connect",
    ms: Math.round(ms * 100) / 100,
    maybeExecuted: executed,
  };
  if (status !== undefined) entry.status = status;
  if (code !== undefined) entry.code = code;
  attempts[at] = entry;
  return at;
}

const what: Partial<Record<MeshErrorCode, string>> = {
  ERR_MESH_CONNECT: "no connection to",
  ERR_MESH_TLS_PEER: "no TLS session with",
  ERR_MESH_IDENTITY: "this process has no identity to show to",
  ERR_MESH_LOCAL_RESOURCE: "this process has no resources left to connect to",
  ERR_MESH_PROTOCOL: "lost the connection to",
  ERR_MESH_BODY: "incomplete body from or to",
  ERR_MESH_TIMEOUT: "timed out on",
  ERR_MESH_CLOSED: "the mesh was closed during a call to",
};

/** The limits behind undici's timeouts, whose messages name none. */
const limits: Readonly<Partial<Record<string, string>>> = {
  UND_ERR_BODY_TIMEOUT: "no byte of the body arrived for too long (bodyIdleTimeoutMs)",
};

/** Codes of TLS itself, and all by which Node.js names a chain that OpenSSL refuses; `UNSPECIFIED` is any other fault of a chain, as of a constraint of names. */
const tlsCode =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERROR_IN_C|(HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|UNSPECIFIED)$)/;

function codeOf(attempt: FailedAttempt, cause: unknown): MeshErrorCode | "caller" {
  const code = causeCodeOf(cause);
  if (cause instanceof CallerFault || isUnreadable(cause)) return "ERR_MESH_BODY";
  if (code === "UND_ERR_INVALID_ARG" || code === "UND_ERR_NOT_SUPPORTED") return "caller";
  if (code === "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH") return "ERR_MESH_BODY";
  if (code === "UND_ERR_DESTROYED" || code === "UND_ERR_CLOSED") return "ERR_MESH_CLOSED";
  // Once the request is sent, the same codes mean a connection that broke.
  if (!attempt.isSent && isLocalResourceError(cause)) return "ERR_MESH_LOCAL_RESOURCE";
  if (!attempt.isSent && code === "ERR_MESH_IDENTITY") return "ERR_MESH_IDENTITY";
  if (!attempt.isSent) return code !== undefined && tlsCode.test(code) ? "ERR_MESH_TLS_PEER" : "ERR_MESH_CONNECT";
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") return "ERR_MESH_TIMEOUT";
  return attempt.hasHead ? "ERR_MESH_BODY" : "ERR_MESH_PROTOCOL";
}

/** Whether a `Blob` of the caller could not be read: its file has changed, or is gone. */
function isUnreadable(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "NotReadableError";
}

function maybeExecuted({ isSent, hasHead }: FailedAttempt, cause: unknown): boolean {
  if (!isSent) return false;
  if (hasHead) return true;
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  // The connection was closing already: the stream was never opened.
  if (code === "ERR_HTTP2_GOAWAY_SESSION") return false;
  // The peer says that it did not process the stream (RFC 9113 §8.7); node:http2 has the code in its message only.
  return !(code === "ERR_HTTP2_STREAM_ERROR" && typeof message === "string" && message.includes("NGHTTP2_REFUSED_STREAM"));
}

function causeCodeOf(cause: unknown): string | undefined {
  const code = typeof cause === "object" && cause !== null ? (cause as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** The code in the record of an attempt that was given up for `reason`. */
export function codeOfReason(reason: unknown): string {
  if (isMeshError(reason)) return reason.code;
  return reason instanceof Error ? reason.name : "AbortError";
}
