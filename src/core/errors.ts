import { cleanText } from "./text/clean-text.ts";

/**
 * The codes of a {@link MeshError}, with their meaning. docs/reference/errors.md has a section for each, with causes and remedies.
 */
export const meshErrorCodes = {
  ERR_MESH_INVALID_TARGET:
    "The target does not follow the grammar `service/path`, or asks for TLS (`https:`, `wss:`) where no instance speaks it. Nothing was sent.",
  ERR_MESH_NO_ENDPOINTS:
    "No instance of the service is known: discovery lists none that may be called, or has not answered within `discoveryTimeoutMs` or the deadline.",
  ERR_MESH_TIMEOUT:
    "A time limit passed: the call's deadline, that of an attempt or an upgrade, or the idle limit of the body. The message names it.",
  ERR_MESH_CIRCUIT_OPEN: "The breaker of the service is open: the call was refused without trying an instance.",
  ERR_MESH_OVERLOADED:
    "A limit was reached in this process, or the throttle holds calls back: the attempt was refused before it was sent. The message names the limit.",
  ERR_MESH_RETRY_EXHAUSTED: "More than one attempt was made and the last one failed too; `cause` is its error.",
  ERR_MESH_CONNECT: "No connection to the instance could be made. Not one byte of the request was sent.",
  ERR_MESH_TLS_PEER:
    "No TLS session with the instance could be made, usually because its certificate was refused. Not one byte of the request was sent.",
  ERR_MESH_PROTOCOL:
    "The connection failed after the request had been sent, or the answer is refused: it was not HTTP, a redirect or no upgrade where one was requested.",
  ERR_MESH_BODY:
    "The response body was cut off or is refused (malformed, too large, of unknown length), or the request body could not be read.",
  ERR_MESH_ROUTE: "A route matched the call and could not be applied to it, or there are no routes yet. Nothing was sent.",
  ERR_MESH_FORBIDDEN: "The option `authorize`, or an interceptor of the application, refused the call.",
  ERR_MESH_TOKEN: "There is no token for the service: its provider failed, or returned none that holds. Nothing was sent.",
  ERR_MESH_LOCAL_RESOURCE: "This process ran out of something (file descriptors, ports, buffers). No instance is blamed for it.",
  ERR_MESH_IDENTITY:
    "This process has no identity that is good now: none has come, it has expired, or it was withdrawn. Nothing was sent, and no instance is blamed for it.",
  ERR_MESH_DISCOVERY: "A source of endpoints (a registry, DNS, a file) failed, or answered with something that is not an answer.",
  ERR_MESH_REGISTRATION: "A registry refused to register, renew or deregister an instance, or could not be reached for it.",
  ERR_MESH_CLOSED: "The mesh was closed, before the call or while it was in flight.",
} as const;

/** The stable code of a {@link MeshError}: compare codes, since messages may change. */
export type MeshErrorCode = keyof typeof meshErrorCodes;

/** How far an attempt had got: choosing an instance, connecting, waiting for the response head, reading the body. */
export type Phase = "pick" | "connect" | "headers" | "body";

/** One attempt of a call, as errors and observers report it. */
export interface AttemptRecord {
  /** The id of the endpoint; `undefined` where none had been picked. */
  readonly endpoint: string | undefined;
  /** `host:port` of the endpoint, or `unix:` and a path; `undefined` where none had been picked. */
  readonly address: string | undefined;
  /** How far the attempt got. */
  readonly phase: Phase;
  /** The HTTP status; absent where no response head arrived. */
  readonly status?: number;
  /** The status of gRPC, by its name, such as `UNAVAILABLE`; absent for what is no remote procedure call, and where none has come. */
  readonly rpcStatus?: string;
  /** The code of the cause, such as `ECONNREFUSED`, or else a {@link MeshErrorCode}; absent where the attempt has not failed. */
  readonly code?: string;
  /** Duration of the attempt in milliseconds, up to its failure or its response head. */
  readonly ms: number;
  /** `false`: the instance has certainly not executed the request in this attempt. `true`: it may have. */
  readonly maybeExecuted: boolean;
}

/** The parts of a {@link MeshError} beside its code and message. */
export interface MeshErrorDetails {
  readonly service?: string | undefined;
  readonly attempts?: readonly AttemptRecord[] | undefined;
  readonly maybeExecuted?: boolean | undefined;
  readonly cause?: unknown;
  /** `false` leaves out the stack trace, which costs ten times the rest of a refusal under load. */
  readonly stack?: boolean;
}

/**
 * The error that calls reject with, except for the caller's own abort (`signal.reason`) and for wrong arguments (`TypeError`). It is no
 * `TypeError`, as network errors are in the Fetch standard: a failed connection is no mistake in the program.
 */
export class MeshError extends Error {
  override readonly name = "MeshError";
  /** The kind of failure; the message has the details. */
  readonly code: MeshErrorCode;
  /** The service of the call; empty where the target could not be read. */
  readonly service: string;
  /** The attempts of the call, in their order. */
  readonly attempts: readonly AttemptRecord[];
  /**
   * `false`: certainly no instance has executed the request, so that repeating it is safe, whatever its method.
   * `true`: an instance may have executed it.
   */
  readonly maybeExecuted: boolean;

  constructor(code: MeshErrorCode, message: string, details: MeshErrorDetails = {}) {
    const limit = Error.stackTraceLimit;
    if (details.stack === false) Error.stackTraceLimit = 0;
    // It quotes names, answers and errors of others.
    super(cleanText(message), details.cause === undefined ? undefined : { cause: details.cause });
    if (details.stack === false) Error.stackTraceLimit = limit;
    this.code = code;
    this.service = details.service ?? "";
    this.attempts = details.attempts ?? [];
    this.maybeExecuted = details.maybeExecuted ?? this.attempts.some((attempt) => attempt.maybeExecuted);
  }
}

/**
 * Gives the error of a time limit the attempts that it ended. The error is made first, since the layers below are stopped with it, and only
 * they know how far the attempts had got.
 * @internal
 */
export function completeAttempts(error: MeshError, attempts: readonly AttemptRecord[]): void {
  const target = error as { attempts: readonly AttemptRecord[]; maybeExecuted: boolean };
  target.attempts = [...attempts];
  target.maybeExecuted = attempts.some((attempt) => attempt.maybeExecuted);
}

/**
 * Says of an error that the call may have been executed, although what has failed was not: a part of the call was answered before. Returns the error.
 * @internal
 */
export function afterAnswer(error: unknown): unknown {
  if (error instanceof MeshError) (error as { maybeExecuted: boolean }).maybeExecuted = true;
  return error;
}

/** The error of a body that is larger than what may be collected of it. It has no attempts: the instance has done nothing wrong. */
export function tooLargeToCollect(service: string, maxBytes: number | false): MeshError {
  const message = `the response of "${service}" is larger than ${maxBytes} bytes, which is the most that is collected (maxCollectedBytes): read it as a stream, or raise the limit`;
  return new MeshError("ERR_MESH_BODY", message, { service, maybeExecuted: true });
}

/** Whether `value` is a {@link MeshError}, also of another copy of this package. */
export function isMeshError(value: unknown): value is MeshError {
  return (
    value instanceof MeshError ||
    (value instanceof Error && value.name === "MeshError" && String((value as { code?: unknown }).code).startsWith("ERR_MESH_"))
  );
}

/** The message of an error on one line, after its code where the message does not contain it: for messages that quote a cause. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return cleanText(textOf(error));
  const code = (error as { code?: unknown }).code;
  // The `AggregateError` of a connection over several addresses has a code and an empty message.
  const message = cleanText(error.message || error.name);
  return typeof code === "string" && !message.includes(code) ? `${code}: ${message}` : message;
}

/** An object without a prototype, for one, cannot be made a string. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `a value of type ${typeof value}`;
  }
}
