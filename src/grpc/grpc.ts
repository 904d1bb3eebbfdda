/**
 * `inmesh/grpc`: clients of `@grpc/grpc-js` whose calls go through a mesh.
 *
 * @packageDocumentation
 */
export { callOptions } from "./call-options.ts";
export { type GrpcDetails, grpcDetails } from "./calls/details.ts";
export { type ClientClass, clientOptions, type GrpcOptions, meshClient } from "./client-options.ts";
export type { MethodsOf } from "./idempotent-paths.ts";
