import { readConnectTimeout, readGrpcTimeout } from "../../core/rpc/grpc-timeout.ts";
import { grpcProtocolOf } from "../../core/rpc/rpc-call.ts";
import { rpcStatus } from "../../core/rpc/rpc-status.ts";
import { attemptHeader, copyHeader, deadlineHeader, headerNumber } from "../../policies/incoming.ts";
import { streamReplyOf } from "../streams/stream-reply.ts";
import type { InboundPart, InboundRequest } from "./inbound-request.ts";

/**
 * Reads how long the caller still waits, which of its attempts this is and whether it is a copy, which calls through a mesh made by the handler continue. A
 * request whose caller does not wait any more is refused: its answer would not be read. The headers can only shorten their own request and keep it from being
 * copied, so that any sender may write them.
 */
export class DeadlinePart implements InboundPart {
  readonly name = "deadline";

  arrive(record: InboundRequest): boolean {
    const ownMs = headerNumber(record.header(deadlineHeader));
    const rpcMs = record.method === "POST" ? timeoutOf(record) : undefined;
    const waitsMs = ownMs === undefined || rpcMs === undefined ? (ownMs ?? rpcMs) : Math.min(ownMs, rpcMs);
    record.attempt = headerNumber(record.header(attemptHeader)) ?? 1;
    record.isCopy = record.header(copyHeader) !== undefined;
    if (waitsMs === undefined) return false;
    record.remainingMs = waitsMs;
    return waitsMs === 0 && refuseLate(record);
  }
}

/** The same in the words of gRPC and Connect. */
function timeoutOf(record: InboundRequest): number | undefined {
  const type = record.header("content-type");
  if (type === undefined) return undefined;
  if (grpcProtocolOf(type) === undefined)
    return /^application\/(?:proto|json|connect\+)/.test(type) ? readConnectTimeout(record.header("connect-timeout-ms") ?? "") : undefined;
  const ms = readGrpcTimeout(record.header("grpc-timeout") ?? "");
  return ms === undefined ? undefined : Math.floor(ms);
}

/** Refuses a request that is not waited for any more. */
export function refuseLate(record: InboundRequest): true {
  const reply = streamReplyOf(record.reply);
  if (record.isRpc && reply !== undefined) reply.rpcStatus = rpcStatus.DEADLINE_EXCEEDED;
  return record.refuse("deadline", { why: "the caller's deadline has passed", rpcStatus: rpcStatus.DEADLINE_EXCEEDED });
}
