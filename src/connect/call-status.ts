import { rpcStatus } from "../core/rpc/rpc-status.ts";
import type { FrameFault } from "../rpc/frames.ts";

/** One message in the details of an error. */
export interface ErrorDetail {
  /** The name of its type, with its package. */
  readonly type: string;
  readonly value: Uint8Array;
}

/** The end of a call: its status, and the trailers that came with it. */
export interface CallStatus {
  readonly code: number;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
  /** Names in lower case and values in turn. */
  readonly trailers: readonly string[];
  /** Whether the instance has said so; `false` for a status that this side gives an answer which is none. */
  readonly isTold: boolean;
}

/** A status that the instance has told. */
export function toldStatus(code: number, message = "", trailers: readonly string[] = [], details: readonly ErrorDetail[] = []): CallStatus {
  return { code, message, details, trailers, isTold: true };
}

/** The status of an answer that is none. */
export function faultStatus(code: number, message: string): CallStatus {
  return { code, message, details: [], trailers: [], isTold: false };
}

/** The status of an answer whose frames have a fault. */
export function statusOfFault({ kind, message }: FrameFault): CallStatus {
  return faultStatus(kind === "size" ? rpcStatus.RESOURCE_EXHAUSTED : rpcStatus.INTERNAL, message);
}
