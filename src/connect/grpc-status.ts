import { trailerOf } from "../core/rpc/rpc-outcome.ts";
import { readRpcStatus, rpcStatus } from "../core/rpc/rpc-status.ts";
import { readGrpcMessage } from "../rpc/grpc-message.ts";
import { type CallStatus, faultStatus, toldStatus } from "./call-status.ts";
import { readStatusDetails } from "./status-details.ts";

/** The status in lines of trailers, or in those of a head without a body; `undefined` where there is none. */
export function grpcStatusIn(lines: readonly string[]): CallStatus | undefined {
  const text = trailerOf(lines, "grpc-status");
  if (text === undefined) return undefined;
  const code = readRpcStatus(text);
  const message = readGrpcMessage(trailerOf(lines, "grpc-message") ?? "");
  const rich = trailerOf(lines, "grpc-status-details-bin");
  const details = rich === undefined ? undefined : readStatusDetails(rich);
  return toldStatus(code, message, lines, details?.code === code ? details.details : []);
}

/** The status of an answer that has ended without one. */
export const missingStatus: CallStatus = faultStatus(
  rpcStatus.INTERNAL,
  "the answer has ended without a status: its trailers are missing, or something on the way has dropped them",
);

/** Trailers as gRPC-Web has them in its last frame: lines of HTTP/1.1, as names and values in turn. */
export function readTrailerFrame(data: Uint8Array): readonly string[] {
  return Buffer.from(data)
    .toString("latin1")
    .split("\r\n")
    .flatMap((line) => {
      const colon = line.indexOf(":");
      return colon <= 0 ? [] : [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    });
}
