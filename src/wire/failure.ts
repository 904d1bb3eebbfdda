import type { MeshRequest } from "../core/dispatch.ts";
import { type AttemptRecord, describeError, isMeshError, MeshError, type MeshErrorCode } from "../core/errors.ts";
import { isLocalResourceError } from "../core/local-resources.ts";

/** How an attempt stood when the transport reported an error. */
export interface FailedAttempt {
  readonly request: MeshRequest;
  /** undici has begun to give the request to a socket. The only sound proof of the contrary: error codes prove nothing. */
  readonly isSent: boolean;
  /** The response head had arrived. */
  readonly hasHead: boolean;
  readonly status: number | undefined;
  readonly ms: number;
  /** Where in the call's attempts this one is noted already. */
  readonly index: number | undefined;
}

/** An error of the caller's own making, such as a body stream that throws or a header that is none. */
export class CallerFault extends Error {}

/**
 * What the caller is told about a transport error: the code says which part failed, the record whether the request may
 * have been executed. Appends the record to the call's attempts.
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

/** undici's parser keeps the bytes that it stumbled over: a peer that sends back what it was sent would put credentials into the error. */
function forgetData(cause: unknown): void {
  if (cause instanceof Error && cause.name === "HTTPParserError") Reflect.deleteProperty(cause, "data");
}

/** Notes how an attempt stands, in place of what was noted at its response head. Returns where. */
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
  ERR_MESH_LOCAL_RESOURCE: "this process has no resources left to connect to",
  ERR_MESH_PROTOCOL: "lost the connection to",
  ERR_MESH_BODY: "incomplete body from or to",
  ERR_MESH_TIMEOUT: "timed out on",
  ERR_MESH_CLOSED: "the mesh was closed during a call to",
};

/** The limits behind undici's timeouts, whose messages name none. */
const limits: Readonly<Partial<Record<string, string>>> = {
  UND_ERR_BODY_TIMEOUT: "no byte of the body arrived for too long (bodyIdleTimeoutMs)",
  UND_ERR_HEADERS_TIMEOUT: "no answer to the upgrade within 10 s",
};

const tlsCode = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/;

function codeOf(attempt: FailedAttempt, cause: unknown): MeshErrorCode | "caller" {
  const code = causeCodeOf(cause);
  if (cause instanceof CallerFault) return "ERR_MESH_BODY";
  if (code === "UND_ERR_INVALID_ARG" || code === "UND_ERR_NOT_SUPPORTED") return "caller";
  if (code === "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH") return "ERR_MESH_BODY";
  if (code === "UND_ERR_DESTROYED" || code === "UND_ERR_CLOSED") return "ERR_MESH_CLOSED";
  // Later the same codes are a connection that broke: the request has been sent then, and that is what counts.
  if (!attempt.isSent && isLocalResourceError(cause)) return "ERR_MESH_LOCAL_RESOURCE";
  if (!attempt.isSent) return code !== undefined && tlsCode.test(code) ? "ERR_MESH_TLS_PEER" : "ERR_MESH_CONNECT";
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") return "ERR_MESH_TIMEOUT";
  return attempt.hasHead ? "ERR_MESH_BODY" : "ERR_MESH_PROTOCOL";
}

function maybeExecuted({ isSent, hasHead }: FailedAttempt, cause: unknown): boolean {
  if (!isSent) return false;
  if (hasHead) return true;
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  // The connection was closing already: the stream was never opened.
  if (code === "ERR_HTTP2_GOAWAY_SESSION") return false;
  // The peer says itself that it did not process the stream (RFC 9113 §8.7); node:http2 tells the code in words only.
  return !(code === "ERR_HTTP2_STREAM_ERROR" && typeof message === "string" && message.includes("NGHTTP2_REFUSED_STREAM"));
}

function causeCodeOf(cause: unknown): string | undefined {
  const code = typeof cause === "object" && cause !== null ? (cause as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** What an attempt that was given up is noted with. */
export function codeOfReason(reason: unknown): string {
  if (isMeshError(reason)) return reason.code;
  return reason instanceof Error ? reason.name : "AbortError";
}
