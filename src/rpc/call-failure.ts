import { describeError, isMeshError, type MeshError, type MeshErrorCode } from "../core/errors.ts";
import { rpcStatus } from "../core/rpc/rpc-status.ts";
import { cleanText } from "../core/text/clean-text.ts";
import { rpcStatusOfReset } from "./http2-status.ts";

/** A call that failed without a status from its instance, in the words of gRPC. */
export interface CallFailure {
  readonly code: number;
  /** Names the service, the instance where there was one, and the reason. */
  readonly message: string;
  /** `false`: certainly no instance has executed the call. */
  readonly maybeExecuted: boolean;
}

/** The code of each error of the mesh that does not depend on its cause. */
const codes: Readonly<Partial<Record<MeshErrorCode, number>>> = {
  ERR_MESH_INVALID_TARGET: rpcStatus.INVALID_ARGUMENT,
  ERR_MESH_TIMEOUT: rpcStatus.DEADLINE_EXCEEDED,
  ERR_MESH_LOCAL_RESOURCE: rpcStatus.RESOURCE_EXHAUSTED,
  ERR_MESH_FORBIDDEN: rpcStatus.PERMISSION_DENIED,
  ERR_MESH_TOKEN: rpcStatus.UNAUTHENTICATED,
  ERR_MESH_REGISTRATION: rpcStatus.INTERNAL,
};

/**
 * The status of a call that the mesh has failed, by the tables of gRPC: whatever was not sent, and may be again, is `UNAVAILABLE`, and a stream that was
 * reset has the status of its code. An abort of the caller is `CANCELLED`, one by a time limit `DEADLINE_EXCEEDED`.
 */
export function callFailure(error: unknown): CallFailure {
  if (isMeshError(error)) return { code: codeOf(error), message: messageOf(error), maybeExecuted: error.maybeExecuted };
  const name = error instanceof Error ? error.name : "";
  const code = name === "TimeoutError" ? rpcStatus.DEADLINE_EXCEEDED : name === "AbortError" ? rpcStatus.CANCELLED : rpcStatus.UNKNOWN;
  return { code, message: describeError(error), maybeExecuted: true };
}

function codeOf(error: MeshError): number {
  const known = codes[error.code];
  if (known !== undefined) return known;
  switch (error.code) {
    case "ERR_MESH_RETRY_EXHAUSTED":
      return isMeshError(error.cause) && error.cause.code !== error.code ? codeOf(error.cause) : rpcStatus.UNAVAILABLE;
    case "ERR_MESH_PROTOCOL":
      return rpcStatusOfReset(error.cause) ?? (isNoHttp(error.cause) ? rpcStatus.INTERNAL : rpcStatus.UNAVAILABLE);
    case "ERR_MESH_BODY":
      return rpcStatusOfReset(error.cause) ?? codeOfBody(error);
    default:
      return rpcStatus.UNAVAILABLE;
  }
}

function codeOfBody({ cause, attempts }: MeshError): number {
  // Refused here, for its size or its form: of what the wire has cut off, there is a cause.
  if (cause === undefined) return rpcStatus.RESOURCE_EXHAUSTED;
  // The messages of the caller could not be read.
  return attempts.some(({ phase }) => phase === "body") ? rpcStatus.UNAVAILABLE : rpcStatus.CANCELLED;
}

function isNoHttp(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "HTTPParserError";
}

/** The message, with the instance of the last attempt where it does not name it. */
function messageOf({ message, service, attempts }: MeshError): string {
  const address = attempts.at(-1)?.address;
  const named = service === "" || message.includes(service) ? message : `${service}: ${message}`;
  return cleanText(address === undefined || message.includes(address) ? named : `${named} (instance ${address})`);
}
