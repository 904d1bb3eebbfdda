import { Code, ConnectError } from "@connectrpc/connect";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { describeError, MeshError } from "../core/errors.ts";
import { rpcStatus } from "../core/rpc/rpc-status.ts";
import { callFailure } from "../rpc/call-failure.ts";
import type { CallStatus } from "./call-status.ts";
import { addTo } from "./metadata-headers.ts";

/**
 * The error of a call whose answer has failed. One that the instance has told has its words; of every other the message names the service, the instance and
 * the reason, and its cause is a `MeshError`.
 */
export function errorOfStatus(request: MeshRequest, response: MeshResponse | undefined, status: CallStatus): ConnectError {
  const { code, message, details, trailers, isTold } = status;
  const head = response?.headers ?? [];
  // Of a head without a body, they are the same lines.
  const metadata = addTo(new Headers(), trailers === head ? head : [...head, ...trailers]);
  // gRPC has OK for a call that went well: an error with it is none of its own.
  const shown = code === rpcStatus.OK ? rpcStatus.INTERNAL : code;
  if (!isTold) {
    const cause = faultOf(request, response, status);
    return new ConnectError(cause.message, shown, metadata, undefined, cause);
  }
  const error = new ConnectError(message, shown, metadata);
  error.details.push(...details.map(({ type, value }) => ({ type, value: value as Uint8Array<ArrayBuffer> })));
  return error;
}

function faultOf({ service, attempts }: MeshRequest, response: MeshResponse | undefined, { code, message }: CallStatus): MeshError {
  const at = response?.upstream === undefined ? "" : ` (${response.upstream.address})`;
  const kind = code === rpcStatus.RESOURCE_EXHAUSTED ? "ERR_MESH_BODY" : "ERR_MESH_PROTOCOL";
  return new MeshError(kind, `"${service}"${at}: ${message}`, { service, attempts: [...attempts], maybeExecuted: true });
}

/** The error of a call that has got no answer, with the error of the mesh as its cause: `maybeExecuted` of it says whether the call may be repeated. */
export function errorOfFailure(thrown: unknown, signal?: AbortSignal): ConnectError {
  // The reason of an abort may be anything.
  if (signal?.aborted && thrown === signal.reason && !(thrown instanceof ConnectError)) {
    const code = thrown instanceof Error && thrown.name === "TimeoutError" ? Code.DeadlineExceeded : Code.Canceled;
    return new ConnectError(describeError(thrown), code, undefined, undefined, thrown);
  }
  if (thrown instanceof ConnectError) return thrown;
  const own = connectCauseOf(thrown);
  if (own !== undefined) return own;
  const { code, message } = callFailure(thrown);
  return new ConnectError(message, code, undefined, undefined, thrown);
}

/** The error of Connect that the messages of the caller ended with, below what the layers of the mesh have put around it. */
function connectCauseOf(thrown: unknown): ConnectError | undefined {
  let at: unknown = thrown;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    if (at instanceof ConnectError) return at;
    at = at.cause;
  }
  return undefined;
}
