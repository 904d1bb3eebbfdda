import type { RpcCall } from "../dispatch.ts";
import type { RequestHeaders } from "../http/request-headers.ts";

const unknown = { isStream: false, timeoutMs: undefined, timeoutHeader: undefined, whole: undefined } as const;
const grpc: RpcCall = { protocol: "grpc", ...unknown };
const grpcWeb: RpcCall = { protocol: "grpc-web", ...unknown };

/** The remote procedure call that a request makes by its content type, where no door has said more of it. */
export function rpcCallOf(method: string, headers: RequestHeaders): RpcCall | undefined {
  if (method !== "POST") return undefined;
  const type = headers["content-type"];
  if (type === undefined || !type.startsWith("application/grpc")) return undefined;
  // Of `application/grpc`, `application/grpc+proto` and `application/grpc;…`, what stands behind the name.
  switch (type[16]) {
    case undefined:
    case "+":
    case ";":
      return grpc;
    default:
      return type.startsWith("application/grpc-web") ? grpcWeb : undefined;
  }
}
