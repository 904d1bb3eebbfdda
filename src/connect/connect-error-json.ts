import { rpcStatus } from "../core/rpc/rpc-status.ts";
import { cleanText } from "../core/text/clean-text.ts";
import { connectCodeNamed } from "../rpc/connect-code.ts";
import { readBinary } from "../rpc/metadata.ts";
import { type CallStatus, type ErrorDetail, faultStatus, toldStatus } from "./call-status.ts";

/** The error that a JSON value of Connect has; `code` where its own is none of Connect. */
export function statusOfJson(value: unknown, code: number, trailers: readonly string[] = []): CallStatus {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return faultStatus(code, "the error of the answer is not one of Connect");
  const { code: name, message, details } = value as { readonly code?: unknown; readonly message?: unknown; readonly details?: unknown };
  const text = typeof message === "string" ? cleanText(message) : "";
  return toldStatus(connectCodeNamed(name) ?? code, text, trailers, Array.isArray(details) ? details.flatMap(detailOf) : []);
}

function detailOf(value: unknown): readonly ErrorDetail[] {
  const { type, value: text } = (value ?? {}) as { readonly type?: unknown; readonly value?: unknown };
  const bytes = typeof text === "string" ? readBinary(text) : undefined;
  return typeof type === "string" && bytes !== undefined ? [{ type, value: bytes }] : [];
}

/** The end of a stream of Connect: its status, and its trailers. */
export function readEndOfStream(data: Uint8Array): CallStatus {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data).toString("utf8"));
  } catch {
    return faultStatus(rpcStatus.INTERNAL, "the end of the stream is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return faultStatus(rpcStatus.INTERNAL, "the end of the stream is no object");
  const { error, metadata } = value as { readonly error?: unknown; readonly metadata?: unknown };
  const trailers = linesOf(metadata);
  return error === undefined || error === null ? toldStatus(rpcStatus.OK, "", trailers) : statusOfJson(error, rpcStatus.UNKNOWN, trailers);
}

function linesOf(metadata: unknown): readonly string[] {
  if (typeof metadata !== "object" || metadata === null) return [];
  return Object.entries(metadata).flatMap(([name, values]) =>
    [values].flat().flatMap((value: unknown) => (typeof value === "string" ? [name.toLowerCase(), value] : [])),
  );
}
