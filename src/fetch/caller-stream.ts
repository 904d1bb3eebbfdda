import { Readable } from "node:stream";
import { AsyncContext } from "../core/async-context.ts";
import { isNodeStream, isWebStream } from "./brands.ts";

type Chunk = Uint8Array | string;

/** A stream of the caller in the form in which it is read: chunk by chunk, and ended from outside. */
interface Source {
  next(): Promise<IteratorResult<Chunk>>;
  /** Ends the source: destroys a stream of Node, cancels a web stream, returns from a generator. Also while a chunk is awaited. */
  end(reason: unknown): unknown;
}

/**
 * A stream of the caller as the body of a request. It is read in the asynchronous context in which it was given, is held to its length where
 * that is known, and is let go when the call has ended, read or not: its descriptor would stay open otherwise.
 */
export class CallerStream implements AsyncIterable<Chunk>, AsyncIterator<Chunk> {
  readonly #source: Source;
  readonly #context: AsyncContext;
  /** Bytes that the source has to give; `undefined` where that is not known. */
  readonly #length: number | undefined;
  #given = 0;
  /** Chunks that have been read ahead, and the next one that is awaited. */
  #ahead: Chunk[] = [];
  #awaited: Promise<IteratorResult<Chunk>> | undefined = undefined;
  #isLetGo = false;

  /** @throws TypeError for a stream that is locked or has been read. */
  constructor(
    stream: AsyncIterable<Chunk> | ReadableStream | NodeJS.ReadableStream,
    length: number | undefined,
    context = new AsyncContext(),
  ) {
    if (isSpent(stream)) throw new TypeError("the stream given as body is locked or has been read already");
    this.#source = sourceOf(stream);
    this.#length = length;
    this.#context = context;
  }

  [Symbol.asyncIterator](): AsyncIterator<Chunk> {
    return this;
  }

  next(): Promise<IteratorResult<Chunk>> {
    const chunk = this.#ahead.shift();
    if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk });
    const awaited = this.#awaited;
    this.#awaited = undefined;
    return awaited ?? this.#read();
  }

  /** Puts back what was read ahead, in its order, and the read that has not been answered. */
  putBack(chunks: Chunk[], awaited?: Promise<IteratorResult<Chunk>>): void {
    this.#ahead = chunks;
    this.#awaited = awaited;
    // It is answered when the body is read.
    awaited?.catch(() => {});
  }

  return(): Promise<IteratorResult<Chunk>> {
    this.letGo(undefined);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends the source, unless it has ended. A read after that is an error: the end of the stream would pass for the end of the body. */
  readonly letGo = (reason: unknown): void => {
    if (this.#isLetGo) return;
    this.#isLetGo = true;
    this.#ahead = [];
    ignoringErrors(() => this.#context.run(() => this.#source.end(reason)));
  };

  async #read(): Promise<IteratorResult<Chunk>> {
    if (this.#isLetGo) throw new TypeError("the stream given as body has been let go, since its call has ended");
    const result = await this.#context.run(() => this.#source.next());
    if (this.#length === undefined) return result;
    if (result.done) {
      if (this.#given < this.#length)
        throw new TypeError(`the stream given as body ended after ${this.#given} of the ${this.#length} bytes that content-length says`);
      return result;
    }
    this.#given += Buffer.byteLength(result.value);
    if (this.#given > this.#length)
      throw new TypeError(`the stream given as body has more than the ${this.#length} bytes that content-length says`);
    return result;
  }
}

/** Whether `value` can be read as a stream. */
export function isStream(value: unknown): value is AsyncIterable<Chunk> | ReadableStream | NodeJS.ReadableStream {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || isWebStream(value) || isNodeStream(value));
}

/** Ends a stream of a call that was refused before it was sent. One that is locked, or has been read by another, is not the call's. */
export function letGoOf(stream: unknown, reason: unknown): void {
  if (isStream(stream) && !isSpent(stream)) ignoringErrors(() => sourceOf(stream).end(reason));
}

function isSpent(stream: object): boolean {
  if (isWebStream(stream)) return stream.locked || Readable.isDisturbed(stream as never);
  return isNodeStream(stream) && (stream.destroyed === true || Readable.isDisturbed(stream as never));
}

function sourceOf(stream: AsyncIterable<Chunk> | ReadableStream | NodeJS.ReadableStream): Source {
  if (isWebStream(stream)) return new WebSource(stream);
  // Streams that are older than asynchronous iteration are wrapped.
  if (isNodeStream(stream))
    return new NodeSource(Symbol.asyncIterator in stream ? (stream as Readable) : new Readable().wrap(stream), stream);
  return new IterableSource(stream);
}

class WebSource implements Source {
  readonly #stream: ReadableStream;
  #reader: ReadableStreamDefaultReader | undefined = undefined;

  constructor(stream: ReadableStream) {
    this.#stream = stream;
  }

  async next(): Promise<IteratorResult<Chunk>> {
    this.#reader ??= this.#stream.getReader();
    const reader = this.#reader;
    const result = await reader.read();
    // As by iteration: the stream is found read afterwards, not locked.
    if (result.done) reader.releaseLock();
    return result as IteratorResult<Chunk>;
  }

  end(reason: unknown): Promise<void> {
    return this.#reader === undefined || !this.#stream.locked ? this.#stream.cancel(reason) : this.#reader.cancel(reason);
  }
}

class IterableSource implements Source {
  readonly #iterable: AsyncIterable<Chunk>;
  #iterator: AsyncIterator<Chunk> | undefined = undefined;

  constructor(iterable: AsyncIterable<Chunk>) {
    this.#iterable = iterable;
  }

  next(): Promise<IteratorResult<Chunk>> {
    this.#iterator ??= this.#iterable[Symbol.asyncIterator]();
    return this.#iterator.next();
  }

  end(_reason: unknown): unknown {
    // A generator is its own iterator; to ask another iterable for one would start something.
    return (this.#iterator ?? (this.#iterable as Partial<AsyncGenerator>)).return?.(undefined);
  }
}

class NodeSource implements Source {
  readonly #readable: Readable;
  readonly #stream: ReturnType<typeof Object> & { destroy?(): void };
  #iterator: AsyncIterator<Chunk> | undefined = undefined;

  constructor(readable: Readable, stream: object) {
    this.#readable = readable;
    this.#stream = stream;
    // A file that is not there fails while the call waits for an instance, before anything reads it: the error would end the process.
    const listener = () => {};
    readable.on("error", listener).once("close", () => readable.off("error", listener));
  }

  next(): Promise<IteratorResult<Chunk>> {
    this.#iterator ??= this.#readable[Symbol.asyncIterator]();
    return this.#iterator.next();
  }

  end(): void {
    // Without the reason: a stream that is destroyed with an error emits it.
    this.#readable.destroy();
    this.#stream.destroy?.();
  }
}

/** Runs code of the caller that ends something: what it throws, at once or later, changes nothing any more. */
function ignoringErrors(run: () => unknown): void {
  try {
    Promise.resolve(run()).catch(() => {});
  } catch {
    // As above.
  }
}
