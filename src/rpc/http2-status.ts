import { rpcStatus } from "../core/rpc/rpc-status.ts";

/** The codes of RST_STREAM that do not mean `INTERNAL` (PROTOCOL-HTTP2 of gRPC, "Errors"). */
const statuses: Readonly<Partial<Record<string, number>>> = {
  NGHTTP2_REFUSED_STREAM: rpcStatus.UNAVAILABLE,
  NGHTTP2_CANCEL: rpcStatus.CANCELLED,
  NGHTTP2_ENHANCE_YOUR_CALM: rpcStatus.RESOURCE_EXHAUSTED,
  NGHTTP2_INADEQUATE_SECURITY: rpcStatus.PERMISSION_DENIED,
};

/** The status of a stream that was reset, by the error that Node.js makes of it; `undefined` for an error that is none of a stream. */
export function rpcStatusOfReset(error: unknown): number | undefined {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== "ERR_HTTP2_STREAM_ERROR") return undefined;
  const name = /NGHTTP2_\w+/.exec(error.message)?.[0];
  return name === undefined ? rpcStatus.INTERNAL : (statuses[name] ?? rpcStatus.INTERNAL);
}
