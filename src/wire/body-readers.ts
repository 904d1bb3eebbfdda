import type { Buffer } from "node:buffer";
import type { UnderlyingByteSource } from "node:stream/web";
import { ownsItsMemory, settleWith } from "../core/http/body-chunks.ts";
import { droppedStreams, endByteStream, streamAheadBytes } from "../core/http/byte-stream.ts";

/** Bytes kept for a body that is not read yet; above it the connection is paused. */
export const unreadBytes = 65_536;

/** Takes the chunks of one response body as they arrive. */
export interface BodyReader {
  /** Whether a reader waits for the next chunk. */
  readonly isWaiting: boolean;
  /** Takes a chunk; `false` pauses the connection. */
  take(chunk: Buffer): boolean;
  /** The body has closed: whole when `error` is `undefined`. */
  end(error: unknown): void;
}

/** The connection that a body comes from. */
export interface BodySource {
  /** Goes on after a pause; harmless when it is not paused. */
  resume(): void;
  /** Gives the rest up and closes the connection. */
  cancel(reason?: unknown): void;
}

/** Keeps what arrives before anything reads the body. */
export class UnreadBody implements BodyReader {
  readonly isWaiting = false;
  readonly chunks: Buffer[] = [];
  byteLength = 0;

  take(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    this.byteLength += chunk.byteLength;
    return this.byteLength < unreadBytes;
  }

  end(): void {}
}

/** The promise that a {@link CollectedBody} settles, and the limit of what it keeps. */
export interface Collecting<Content> {
  readonly convert: (chunks: readonly Buffer[]) => Content;
  readonly resolve: (content: Content) => void;
  readonly reject: (error: unknown) => void;
  /** The most bytes that are kept; `false` = no limit. */
  readonly maxBytes: number | false;
  /** Makes the error of a body that is larger. */
  readonly tooLarge: () => Error;
}

/** Collects the whole body and settles a promise with what `convert` makes of it. A body that is too large is given up. */
export class CollectedBody<Content> implements BodyReader {
  readonly isWaiting = true;
  readonly #source: BodySource;
  readonly #chunks: Buffer[];
  readonly #into: Collecting<Content>;
  #bytesLeft: number;

  constructor(source: BodySource, chunks: Buffer[], into: Collecting<Content>) {
    this.#source = source;
    this.#chunks = chunks;
    this.#into = into;
    this.#bytesLeft = into.maxBytes === false ? Number.POSITIVE_INFINITY : into.maxBytes;
    for (const chunk of chunks) this.#bytesLeft -= chunk.byteLength;
  }

  take(chunk: Buffer): boolean {
    this.#bytesLeft -= chunk.byteLength;
    if (this.#bytesLeft >= 0) this.#chunks.push(chunk);
    else this.#source.cancel(this.#into.tooLarge());
    return true;
  }

  end(error: unknown): void {
    const { convert, resolve, reject, tooLarge } = this.#into;
    if (error !== undefined) reject(error);
    else if (this.#bytesLeft < 0) reject(tooLarge());
    else settleWith(convert, this.#chunks, resolve, reject);
  }
}

/** Reads a rest of limited length away, so that the connection can be used again. */
export class DiscardedBody implements BodyReader {
  readonly isWaiting = false;
  readonly #source: BodySource;
  #bytesLeft: number;

  constructor(source: BodySource, maxBytes: number) {
    this.#source = source;
    this.#bytesLeft = maxBytes;
  }

  take(chunk: Buffer): boolean {
    this.#bytesLeft -= chunk.byteLength;
    if (this.#bytesLeft < 0) this.#source.cancel();
    return true;
  }

  end(): void {}
}

/** Hands the body on as a byte stream. */
export class StreamedBody implements BodyReader, UnderlyingByteSource {
  readonly type = "bytes";
  readonly #source: BodySource;
  /** The chunks that arrived before the stream was asked for. */
  #early: readonly Buffer[];
  /**
   * Holds a strong reference only while the stream has room. While the stream is full the reference is weak, so that a stream that is dropped
   * can be collected; one that is still read is held by its reader.
   */
  #controller: ReadableByteStreamController | undefined = undefined;
  #parked: WeakRef<ReadableByteStreamController> | undefined = undefined;
  #stream: WeakRef<ReadableStream> | undefined = undefined;

  constructor(source: BodySource, early: readonly Buffer[]) {
    this.#source = source;
    this.#early = early;
  }

  /** Makes the stream; once. */
  open(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const stream = new ReadableStream(this, { highWaterMark: streamAheadBytes }) as ReadableStream<Uint8Array<ArrayBuffer>>;
    droppedStreams.register(stream, this.#source);
    this.#stream = new WeakRef(stream);
    return stream;
  }

  /** The stream has a reader, which has read all that has come. */
  get isWaiting(): boolean {
    return this.#current()?.desiredSize === streamAheadBytes && this.#stream?.deref()?.locked === true;
  }

  take(chunk: Buffer): boolean {
    const controller = this.#current();
    if (controller === undefined) return true;
    // Without room the connection pauses until the stream asks for more, which it does inside `enqueue` when another read waits already.
    const hasRoom = (controller.desiredSize ?? 0) > chunk.byteLength;
    if (!hasRoom) this.#controller = undefined;
    controller.enqueue(hasRoom && ownsItsMemory(chunk) ? chunk : new Uint8Array(chunk));
    return this.#controller !== undefined;
  }

  end(error: unknown): void {
    const controller = this.#current();
    this.#forget();
    if (controller !== undefined) endByteStream(controller, error);
  }

  // --- called by the stream ---

  start(controller: ReadableByteStreamController): void {
    this.#controller = controller;
    this.#parked = new WeakRef(controller);
    for (const chunk of this.#early) controller.enqueue(new Uint8Array(chunk));
    this.#early = [];
  }

  pull(controller: ReadableByteStreamController): void {
    if (this.#parked === undefined) return;
    this.#controller = controller;
    this.#source.resume();
  }

  cancel(reason: unknown): void {
    this.#forget();
    this.#source.cancel(reason);
  }

  #current(): ReadableByteStreamController | undefined {
    return this.#controller ?? this.#parked?.deref();
  }

  #forget(): void {
    this.#controller = undefined;
    this.#parked = undefined;
  }
}
