import type { RpcCall } from "../dispatch.ts";
import type { RequestHeaders } from "../http/request-headers.ts";

const unknown = { isStream: false, timeoutMs: undefined, timeoutHeader: undefined, whole: undefined } as const;
const grpc: RpcCall = { protocol: "grpc", ...unknown };
const grpcWeb: RpcCall = { protocol: "grpc-web", ...unknown };

/**
 * The protocol of gRPC that a content type names: `application/grpc`, `application/grpc+proto`, `application/grpc-web-text`. `undefined` for every other type.
 * As in all media types, the case of letters means nothing.
 */
export function grpcProtocolOf(type: string): "grpc" | "grpc-web" | undefined {
  const found = /^application\/grpc(-web(?:-[^+;]*)?)?(?:[+;]|$)/i.exec(type);
  if (found === null) return undefined;
  return found[1] === undefined ? "grpc" : "grpc-web";
}

/** The remote procedure call that a request makes by its content type, where no door has said more of it. */
export function rpcCallOf(method: string, headers: RequestHeaders): RpcCall | undefined {
  if (method !== "POST") return undefined;
  const type = headers["content-type"];
  const protocol = type === undefined ? undefined : grpcProtocolOf(type);
  if (protocol === undefined) return undefined;
  return protocol === "grpc" ? grpc : grpcWeb;
}
