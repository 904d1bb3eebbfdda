import { describeError } from "../../core/errors.ts";
import { type AttemptRecord, type CallTrace, isMeshError } from "../../index.ts";
import { exitCodes } from "../exit-codes.ts";

/** The JSON of `inmesh fetch TARGET -o json`. */
export interface FetchReport {
  /** Without its query. */
  readonly target: string;
  readonly method: string;
  /** `null` when the call failed before a response head. */
  readonly response: {
    readonly status: number;
    readonly statusText: string;
    readonly headers: readonly (readonly [name: string, value: string])[];
    /** `null` when the body could not be read to its end. */
    readonly body: string | null;
    /** `base64` for a body that is not UTF-8. */
    readonly bodyEncoding: "utf8" | "base64";
  } | null;
  readonly error: { readonly code: string; readonly message: string; readonly maybeExecuted: boolean } | null;
  readonly attempts: readonly AttemptRecord[];
  /** Milliseconds, the body included. */
  readonly ms: number;
  /** The decisions; absent without `--trace`. */
  readonly trace?: CallTrace;
}

/** The exit code for a response. */
export function exitCodeOfStatus(status: number): number {
  if (status < 400) return exitCodes.ok;
  return status < 500 ? exitCodes.clientError : exitCodes.serverError;
}

/** The exit code for a failed call. */
export function exitCodeOfError(error: unknown): number {
  if (!isMeshError(error)) return exitCodes.failed;
  if (error.code === "ERR_MESH_INVALID_TARGET") return exitCodes.usage;
  return error.maybeExecuted ? exitCodes.maybeExecuted : exitCodes.notExecuted;
}

/** A failure in words, with what is known of its execution. */
export function failureText(error: unknown): string {
  const may = isMeshError(error) ? (error.maybeExecuted ? " (it may have been executed)" : " (it was certainly not executed)") : "";
  return `${describeError(error)}${may}`;
}

/** Bytes as a string for JSON. */
export function bodyText(bytes: Uint8Array): { readonly body: string; readonly bodyEncoding: "utf8" | "base64" } {
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), bodyEncoding: "utf8" };
  } catch {
    return { body: Buffer.from(bytes).toString("base64"), bodyEncoding: "base64" };
  }
}
