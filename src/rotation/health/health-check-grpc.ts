import { onlyMessage, writeFrame } from "../../rpc/frames.ts";
import { readHealthAnswer, writeHealthRequest } from "../../rpc/health-messages.ts";

/** Path of the method in gRPC's health checking protocol. */
export const grpcHealthPath = "/grpc.health.v1.Health/Check";

/** Path of the method that tells each change. */
export const grpcWatchPath = "/grpc.health.v1.Health/Watch";

/** A `HealthCheckRequest` in its frame. */
export function grpcHealthRequest(service: string): Uint8Array {
  return writeFrame(0, writeHealthRequest(service));
}

/**
 * The status in the answer of `Check`, a `HealthCheckResponse` in its frame: `SERVING`, `NOT_SERVING`, …
 * @throws Error for bytes that are no such frame.
 */
export function grpcServingStatus(body: Uint8Array): string {
  const message = onlyMessage(body);
  if (message === undefined) throw new Error("the answer is no gRPC message without compression");
  return readHealthAnswer(message);
}
