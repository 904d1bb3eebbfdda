import { onTestFinished } from "vitest";
import { type GrpcOptions, meshClient } from "../../src/grpc/grpc.ts";
import type { Mesh } from "../../src/mesh/mesh.ts";
import { Greeter, type GreeterClient } from "./greeter.ts";

/** A client of the service "greeter" of a mesh, closed at the end of the test. */
export function clientOf(mesh: Mesh, options: GrpcOptions & Readonly<Record<`grpc.${string}`, unknown>> = {}): GreeterClient {
  const client = meshClient(mesh, Greeter, "greeter", options);
  onTestFinished(() => client.close());
  return client;
}
