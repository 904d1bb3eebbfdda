import type { MeshResponse } from "../../core/dispatch.ts";
import { headerOf } from "../../core/http/response-headers.ts";
import { grpcProtocolOf } from "../../core/rpc/rpc-call.ts";
import { rpcStatus, rpcStatusOfHttp } from "../../core/rpc/rpc-status.ts";
import { quoted } from "../../core/text/clean-text.ts";
import { callFailure } from "../../rpc/call-failure.ts";

/** A status: its code and its message. */
export interface CallStatus {
  readonly code: number;
  readonly details: string;
}

/** The status of a call that has failed without one from an instance. */
export function statusOfError(error: unknown): CallStatus {
  const { code, message } = callFailure(error);
  return { code, details: message };
}

/** The status of a call whose credentials could not be had. */
export function statusOfCredentials(error: unknown): CallStatus {
  const { code } = error as { readonly code?: unknown };
  const details = `the credentials of the call could not be had: ${error instanceof Error ? error.message : "an error that is none"}`;
  return { code: typeof code === "number" && Number.isInteger(code) && code > 0 && code <= 16 ? code : rpcStatus.UNAVAILABLE, details };
}

/** The status of an answer that is none of gRPC, as a web page or the answer of a proxy; `undefined` for one that may be. */
export function statusOfForeign(response: MeshResponse, service: string): CallStatus | undefined {
  if (headerOf(response, "grpc-status") !== undefined) return undefined;
  const type = headerOf(response, "content-type");
  if (response.status === 200 && type !== undefined && grpcProtocolOf(type) === "grpc") return undefined;
  const by = response.upstream === undefined ? "this process" : response.upstream.address;
  const content = type === undefined ? "no content type" : `the content type ${quoted(type)}`;
  return {
    code: rpcStatusOfHttp(response.status),
    details: `${by} answered a call of "${service}" with HTTP ${response.status} and ${content}, which is no answer of gRPC`,
  };
}
