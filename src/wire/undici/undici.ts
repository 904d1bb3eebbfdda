import type { Buffer } from "node:buffer";
import type * as undici from "undici";
import * as undiciPackage from "./undici-package.cjs";

const files = undiciPackage.load();

/** Sends requests to one origin over several connections. */
export const Pool: typeof undici.Pool = files.Pool;
export type Pool = undici.Pool;

/** Sends requests to any origin. */
export type Agent = undici.Agent;
/** Loads the class {@link Agent}. */
export const loadAgent: () => typeof undici.Agent = undiciPackage.loadAgent;

/** The base class of all that sends requests. */
export const Dispatcher: typeof undici.Dispatcher = files.Dispatcher;
export type Dispatcher = undici.Dispatcher;
/** A request, as {@link Dispatcher} takes it. */
export type DispatchOptions = undici.Dispatcher.DispatchOptions;
/** The receiver of a response, as {@link Dispatcher} takes it. */
export type DispatchHandler = undici.Dispatcher.DispatchHandler;

/** Loads `request`, `stream`, `pipeline`, `upgrade` and `connect`, which undici's index adds to {@link Dispatcher}. */
export const loadMethods: () => Pick<Dispatcher, "request" | "stream" | "pipeline" | "upgrade" | "connect"> = undiciPackage.loadMethods;

/** Opens a socket. */
export type Connector = undici.buildConnector.connector;

/** The classes of undici's errors. */
export const errors: typeof undici.errors = files.errors;

/** A request as undici's own clients have it: checked, with its body in few forms, and with what undici tells its diagnostics channels of it. */
export interface UndiciRequest {
  readonly method: string;
  readonly path: string;
  /** The header `host`, which `headers` does not have. */
  readonly host: string | null;
  /** The header `content-length`, which `headers` does not have. */
  readonly contentLength: number | null;
  /** Names and values in turn. */
  readonly headers: readonly (string | readonly string[])[];
  readonly body: Uint8Array | Blob | AsyncIterable<Uint8Array | string> | null;
  readonly aborted: boolean;
  readonly completed: boolean;
  onConnect(abort: (error?: Error | null) => void): void;
  onBodySent(chunk: Uint8Array): void;
  onRequestSent(): void;
  onResponseStarted(): void;
  onHeaders(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean | undefined;
  onData(chunk: Buffer): boolean | undefined;
  onComplete(trailers: object): void;
  onError(error: Error): void;
}

/** Makes an {@link UndiciRequest}. Throws undici's errors for wrong options. */
export const UndiciRequest: new (origin: string, options: DispatchOptions, handler: DispatchHandler) => UndiciRequest =
  files.Request as never;
