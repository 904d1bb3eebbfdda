import type { CallOptions as GrpcCallOptions } from "@grpc/grpc-js";
import type { CallOptions } from "../core/dispatch.ts";
import { callOptions as meshCallOptions } from "../fetch/call-options.ts";

const ofMesh: unique symbol = Symbol("inmesh.callOptions");

/**
 * The options of one call of a client: those of the mesh, such as `idempotent` and `hashKey`, with those of `@grpc/grpc-js`, whose `deadline` goes before
 * `timeoutMs`.
 * @throws TypeError or RangeError naming the option, for a wrong one.
 */
export function callOptions(mesh: CallOptions, options: GrpcCallOptions = {}): GrpcCallOptions {
  meshCallOptions.check("callOptions", mesh);
  return { ...options, [ofMesh]: mesh } as GrpcCallOptions;
}

/** The options of the mesh in the options of a call. */
export function meshOptionsOf(options: object | undefined): CallOptions | undefined {
  return (options as { readonly [ofMesh]?: CallOptions } | undefined)?.[ofMesh];
}
