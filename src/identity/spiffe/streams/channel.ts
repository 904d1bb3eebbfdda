import { describeError } from "../../../core/errors.ts";
import { cleanText } from "../../../core/text/clean-text.ts";
import type { GrpcClient, GrpcPackage } from "./grpc-package.ts";
import { ProcessHold } from "./process-hold.ts";

/** The codes of gRPC that are told apart. */
export const grpcCodes = { ok: 0, cancelled: 1, invalidArgument: 3, permissionDenied: 7, resourceExhausted: 8, unimplemented: 12 } as const;

const names = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** How a call has ended, as gRPC says it. */
export interface CallEnd {
  readonly code: number;
  readonly details: string;
}

/** Opens a channel of its own: what an earlier one has learnt, as the pause before it connects again, does not hold this one back. */
export function openChannel(
  { Client, credentials }: GrpcPackage,
  target: string,
  maxMessageBytes: number,
  hold: ProcessHold = new ProcessHold(false),
): GrpcClient {
  return new Client(target, hold.over(credentials.createInsecure()), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.service_config_disable_resolution": 1,
    "grpc.enable_retries": 0,
    // An agent is on this machine: a proxy of the environment has no place before it.
    "grpc.enable_http_proxy": 0,
  });
}

/** The error of a call that has ended: `the SPIFFE Workload API at unix:/run/agent.sock: UNAVAILABLE: …`. */
export function endError(peer: string, { code, details }: CallEnd): Error {
  const reason =
    code === grpcCodes.ok ? "ended the stream" : `${names[code] ?? `code ${code}`}${details === "" ? "" : `: ${cleanText(details)}`}`;
  return new Error(`${peer}: ${reason}`);
}

/** The error of a message that is refused. */
export function refusedMessage(peer: string, error: unknown): Error {
  return new Error(`${peer}: a message is refused: ${describeError(error)}`);
}
