/**
 * `inmesh/connect`: clients of Connect over a mesh, by gRPC, gRPC-Web and Connect. It needs the packages `@connectrpc/connect` and `@bufbuild/protobuf`.
 *
 * @packageDocumentation
 */
export type { CallOptions, CallPriority } from "../core/dispatch.ts";
export { MeshError, type MeshErrorCode } from "../core/errors.ts";
export type { CompressionName } from "./compression.ts";
export { meshTransport } from "./mesh-transport.ts";
export type { MeshTransportOptions, TransportProtocol } from "./transport-options.ts";
