import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { UnderlyingByteSource } from "node:stream/web";
import { MeshError } from "../core/errors.ts";
import type { ResponseBody } from "../core/http/body.ts";
import { bytesOf } from "../core/http/body-chunks.ts";
import { endByteStream } from "../core/http/byte-stream.ts";
import { WrappedBody } from "../core/http/wrapped-body.ts";
import type { DecodeLimits } from "./decode-options.ts";
import { decoders, type MakeDecoder } from "./decoders.ts";

/** Decoded bytes from which on the ratio is checked: the first bytes of many bodies compress better than the rest. */
const ratioFromBytes = 2 ** 20;

/** A body whose readers get its decoded bytes. It closes with the body on the wire. */
export class DecodedBody extends WrappedBody {
  readonly #codings: readonly string[];
  readonly #service: string;
  readonly #limits: DecodeLimits;

  constructor(wire: ResponseBody, codings: readonly string[], service: string, limits: DecodeLimits) {
    super(wire);
    this.#codings = codings;
    this.#service = service;
    this.#limits = limits;
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.#decoded(this.inner.stream())) {
      size += chunk.byteLength;
      if (size > this.#limits.maxBytes) throw this.#fail(`it is larger than ${this.#limits.maxBytes} bytes`);
      chunks.push(chunk);
    }
    return bytesOf(chunks);
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    // Here, and not at the first read: the body has a reader from now on.
    const decoded = this.#decoded(this.inner.stream());
    const source: UnderlyingByteSource = {
      type: "bytes",
      pull: async (controller) => {
        const { done, value } = await decoded.next();
        if (done) endByteStream(controller, undefined);
        else controller.enqueue(new Uint8Array(value));
      },
      cancel: async (reason) => {
        this.inner.cancel(reason);
        await decoded.return(undefined);
      },
    };
    return new ReadableStream(source) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  async *#decoded(wire: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    let received = 0;
    let produced = 0;
    let broken: { readonly error: unknown } | undefined;
    async function* counted(): AsyncGenerator<Uint8Array> {
      try {
        // A decoder that stops early must not cancel the body: it is cancelled below, with its reason.
        for await (const chunk of wire.values({ preventCancel: true })) {
          received += chunk.byteLength;
          yield chunk;
        }
      } catch (error) {
        broken = { error };
        throw error instanceof Error ? error : new Error("the body was given up");
      }
    }
    let stages: AsyncIterable<Uint8Array> = counted();
    for (const coding of this.#codings) stages = through(stages, decoders[coding] as MakeDecoder);
    try {
      for await (const chunk of stages) {
        produced += chunk.byteLength;
        if (produced > ratioFromBytes && produced > received * this.#limits.maxRatio) {
          throw this.#fail(`it grows more than ${this.#limits.maxRatio}-fold when it is decoded`);
        }
        yield chunk;
      }
    } catch (error) {
      // Streams wrap some errors, and lose reasons that are no errors.
      if (broken !== undefined) throw (broken as { readonly error: unknown }).error;
      if (error instanceof MeshError || !isZlibError(error)) throw error;
      throw this.#fail("it does not decode", error);
    } finally {
      this.inner.cancel();
    }
  }

  #fail(why: string, cause?: unknown): MeshError {
    const error = new MeshError(
      "ERR_MESH_BODY",
      `the ${[...this.#codings].reverse().join(", ")} body of a response of "${this.#service}" is refused: ${why}`,
      {
        service: this.#service,
        maybeExecuted: true,
        cause,
      },
    );
    this.inner.cancel(error);
    return error;
  }
}

/** Decodes one coding of a sequence of chunks, with backpressure. An empty body decodes to nothing. */
async function* through(chunks: AsyncIterable<Uint8Array>, decoderFor: MakeDecoder): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let first = await iterator.next();
  while (!first.done && first.value.byteLength === 0) first = await iterator.next();
  if (first.done) return;
  const start = first.value;
  const decoder = decoderFor(start);
  const rest = async function* () {
    yield start;
    yield* { [Symbol.asyncIterator]: () => iterator };
  };
  const done = pipeline(Readable.from(rest()), decoder);
  // The reader of the decoder gets its error: the promise must not reject unhandled beside it.
  done.catch(() => {});
  yield* decoder as AsyncIterable<Uint8Array>;
  await done;
}

function isZlibError(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" && /^(Z_|ERR__?ERROR_FORMAT|ERR_BROTLI|ERR__|ZSTD_|ERR_ZSTD|ERR_PADDING)/.test(code);
}
