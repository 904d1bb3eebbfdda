import { compressedFlag, writeFrame } from "../rpc/frames.ts";
import { type CompressionName, compress } from "./compression.ts";

/** The parts of {@link RequestFrames}. */
export interface RequestFramesOptions<Input> {
  readonly input: AsyncIterable<Input>;
  readonly encode: (message: Input) => Uint8Array;
  readonly compression: CompressionName | undefined;
  readonly compressMinBytes: number;
}

/** A message as a frame. */
export async function frameOf(bytes: Uint8Array, compression: CompressionName | undefined, minBytes: number): Promise<Uint8Array> {
  if (compression === undefined || bytes.byteLength < minBytes) return writeFrame(0, bytes);
  return writeFrame(compressedFlag, await compress(compression, bytes));
}

const over: IteratorResult<Uint8Array> = { done: true, value: undefined };

/**
 * The messages of a caller as the body of a request. The next one is asked for when the connection has taken the last. When the call has ended, the caller's
 * source is told so, also while it is waited for: no generator does that, whose end waits for its turn.
 */
export class RequestFrames<Input> implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #options: RequestFramesOptions<Input>;
  #source: AsyncIterator<Input> | undefined = undefined;
  #isOver = false;
  #stopped: (() => void) | undefined = undefined;

  constructor(options: RequestFramesOptions<Input>) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#isOver) return Promise.resolve(over);
    return new Promise((resolve, reject) => {
      this.#stopped = () => resolve(over);
      this.#read().then(resolve, (error: unknown) => {
        this.#isOver = true;
        reject(error);
      });
    });
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.stop();
    return over;
  }

  /** The call has ended. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopped?.();
    try {
      this.#source ??= this.#options.input[Symbol.asyncIterator]();
      this.#source.return?.()?.then(undefined, () => {});
    } catch {
      // The source is the caller's, and nothing waits for it any more.
    }
  }

  async #read(): Promise<IteratorResult<Uint8Array>> {
    const { input, encode, compression, compressMinBytes } = this.#options;
    this.#source ??= input[Symbol.asyncIterator]();
    const { done, value } = await this.#source.next();
    if (done === true) {
      this.#isOver = true;
      return over;
    }
    return { done: false, value: await frameOf(encode(value), compression, compressMinBytes) };
  }
}
