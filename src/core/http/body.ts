/**
 * A request body as the transport sends it. Text, bytes and a `Blob` can be sent again; a stream only while nothing of it
 * has been read; a function makes a new stream for each attempt.
 */
export type RequestBody =
  | undefined
  | string
  | Uint8Array
  | Blob
  | AsyncIterable<Uint8Array | string>
  | (() => AsyncIterable<Uint8Array | string>);

/** Whether `body` can be sent a second time after a first attempt may have read it. */
export function isReplayable(body: RequestBody): boolean {
  return body === undefined || typeof body === "string" || typeof body === "function" || body instanceof Uint8Array || body instanceof Blob;
}

/** Called once when a body is closed: with `undefined` after its last byte, else with the error or the reason it was cancelled for. */
export type CloseListener = (error: unknown) => void;

/**
 * The body of a response: read once, by one of the readers. It closes when its last byte has arrived, when it fails or
 * when it is cancelled; until then the instance counts as busy and the call's deadline runs.
 */
export interface ResponseBody {
  /** `true` once a reader has been called. */
  readonly used: boolean;
  /** `true` when every byte has arrived already. */
  readonly complete: boolean;
  /** Trailer names (lower case) and values in turn; empty until the body has closed. */
  readonly trailers: readonly string[];
  /** Calls `listener` when the body closes, at once when it has. */
  onClose(listener: CloseListener): void;
  /** All of it, decoded as UTF-8. */
  text(): Promise<string>;
  /** All of it. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** A byte stream with backpressure down to the socket. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Reads up to `maxBytes` away so that the connection can be used again; closes it when there is more. */
  discard(maxBytes?: number): void;
  /** Gives the body up and closes its connection. Not a failure of the instance. */
  cancel(reason?: unknown): void;
}
