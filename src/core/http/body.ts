/**
 * A request body as the transport sends it. Text, bytes and a `Blob` can be sent again; a stream only while nothing of it has been read. A
 * function makes a stream for each attempt.
 */
export type RequestBody =
  | undefined
  | string
  | Uint8Array
  | Blob
  | AsyncIterable<Uint8Array | string>
  | (() => AsyncIterable<Uint8Array | string>);

/** Whether `body` can be sent again after an attempt that may have read it. */
export function isReplayable(body: RequestBody): boolean {
  return body === undefined || typeof body === "string" || typeof body === "function" || ArrayBuffer.isView(body) || body instanceof Blob;
}

/** Called once when a body has closed: with `undefined` after its last byte, else with its error or the reason of its cancellation. */
export type CloseListener = (error: unknown) => void;

/** The verdict on the content of a body, which whatever decodes it tells. */
export interface ContentVerdict {
  /**
   * The decoding has ended: with `undefined`, or with the error of content that is malformed. `failure`: the error of the call, also where it says nothing of
   * the instance. Only the first time counts.
   */
  settle(error: unknown, failure?: unknown): void;
  /** Calls `listener` with the error of the call once the decoding has ended, or is not waited for any longer after the body has closed; at once where it has. */
  onSettled(listener: CloseListener): void;
}

/**
 * The body of a response. It is read once, by one of the readers. It closes when its last byte has arrived, when it fails and when it is
 * cancelled; until then its attempt is in flight at the instance and the deadline of the call runs.
 */
export interface ResponseBody {
  /** Whether a reader has been called. */
  readonly used: boolean;
  /** Whether every byte has arrived. */
  readonly complete: boolean;
  /** The trailers: names in lower case and values in turn. Empty until the body has closed. */
  readonly trailers: readonly string[];
  /**
   * How long a reader had waited for a byte in vain when the body failed, in milliseconds; 0 without a reader that waited. Absent where that is not
   * known.
   */
  readonly waitedMs?: number;
  /** Told how the decoding of the content has ended; absent where that is no evidence about an instance. Set by the books of the attempt. */
  content?: ContentVerdict | undefined;
  /** Calls `listener` once when the body closes, at once where it has. */
  onClose(listener: CloseListener): void;
  /** Reads the whole body, decoded as UTF-8. */
  text(): Promise<string>;
  /** Reads the whole body. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Reads the body as a byte stream, with backpressure down to the socket. `collect`: the stream is read whole on behalf of one of the other
   * readers, so that its limits hold, which an event stream does not have.
   */
  stream(purpose?: "collect"): ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Reads up to `maxBytes` bytes and drops them, so that the connection can be used again; closes the connection where the body is longer.
   */
  discard(maxBytes?: number): void;
  /** Gives up the body and closes its connection. This is no failure of the instance. */
  cancel(reason?: unknown): void;
}

/** Takes the chunks of a body as they arrive. */
export interface BodyReceiver {
  /** Whether it waits for the next chunk; while it does not, the idle limit of the body rests. */
  readonly isWaiting: boolean;
  /** Takes a chunk; `false` pauses the connection, until {@link ForwardedBody.resume}. */
  take(chunk: Uint8Array): boolean;
  /** The body has closed: whole when `error` is `undefined`. */
  end(error: unknown): void;
}

/** A body that hands its chunks on as they come over the wire, without copies and promises. */
export interface ForwardedBody extends ResponseBody {
  /** Hands all chunks to `receiver`, at once those that have come. */
  forward(receiver: BodyReceiver): void;
  /** Goes on after a pause; harmless when it is not paused. */
  resume(): void;
}

/** Whether a body can hand its chunks on; one that a layer has put around it cannot, and is read as a stream. */
export function isForwarded(body: ResponseBody): body is ForwardedBody {
  return "forward" in body;
}
