import { grpcProtocolOf } from "../../core/rpc/rpc-call.ts";
import { rpcStatus } from "../../core/rpc/rpc-status.ts";
import { writeGrpcMessage } from "../../rpc/grpc-message.ts";

/** The code by which gRPC says what a refusal of this server says by a status of HTTP. */
const codes: ReadonlyMap<number, number> = new Map([
  [400, rpcStatus.INVALID_ARGUMENT],
  [401, rpcStatus.UNAUTHENTICATED],
  [403, rpcStatus.PERMISSION_DENIED],
  [404, rpcStatus.UNIMPLEMENTED],
  [413, rpcStatus.RESOURCE_EXHAUSTED],
  [429, rpcStatus.RESOURCE_EXHAUSTED],
  [503, rpcStatus.UNAVAILABLE],
  [504, rpcStatus.DEADLINE_EXCEEDED],
]);

/** The code of gRPC of a refusal with a status of HTTP. Not by the table for responses of proxies, in which one caller's surplus is `UNAVAILABLE`. */
export function rpcStatusOfRefusal(status: number): number {
  return codes.get(status) ?? rpcStatus.UNKNOWN;
}

/** The fields of a refusal, in a head without a body. `wait`: seconds until the call may be repeated, which gRPC has as `grpc-retry-pushback-ms` (gRFC A6). */
export function refusalFields(code: number, why: string, wait: string | undefined): Readonly<Record<string, string>> {
  const fields = { "grpc-status": String(code), "grpc-message": writeGrpcMessage(why) };
  return wait === undefined ? fields : { ...fields, "grpc-retry-pushback-ms": String(Number(wait) * 1_000) };
}

/** Whether a content type is one of gRPC over HTTP/2: `application/grpc`, `application/grpc+proto`, and not `application/grpc-web`. */
export function isGrpcType(type: unknown): boolean {
  return typeof type === "string" && grpcProtocolOf(type) === "grpc";
}
