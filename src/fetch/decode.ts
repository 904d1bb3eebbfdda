import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { UnderlyingByteSource } from "node:stream/web";
import { MeshError } from "../core/errors.ts";
import type { ResponseBody } from "../core/http/body.ts";
import { bytesOf } from "../core/http/body-chunks.ts";
import { WrappedBody } from "../core/http/wrapped-body.ts";
import { optionTable, type Settled } from "../core/settings/option-table.ts";
import { group, number } from "../core/settings/rules.ts";

/** Limits of a body when it is decoded. Without them, a decompression bomb of 250 KiB becomes 256 MiB. */
export interface DecodeOptions {
  /** Decoded bytes that `text()`, `json()`, `bytes()` and their like keep in memory. @default 67108864 */
  readonly maxBytes?: number;
  /** Decoded bytes per byte on the wire, from the second MiB on. @default 100 */
  readonly maxRatio?: number;
}

/** The rules of {@link DecodeOptions}. */
export const decodeOptions = optionTable<DecodeOptions>()({
  maxBytes: number({ default: 64 * 2 ** 20, min: 1, unit: "bytes" }),
  maxRatio: number({ default: 100, min: 1 }),
});

type DecodeLimits = Settled<typeof decodeOptions.rules>;

/** The option of the edge, for each service. */
export interface DecodeOption {
  /** Limits of a compressed body when it is decoded. */
  readonly decode?: DecodeOptions;
}

/** The rule of {@link DecodeOption}. */
export const decodeOption = optionTable<DecodeOption>()({ decode: group(decodeOptions) });

const ratioFromBytes = 2 ** 20;
const maxCodings = 2;

/**
 * Decodes `body` by a `content-encoding` header (RFC 9110 §8.4.1: gzip, deflate, br, zstd). A body with an unknown coding is returned as it is,
 * as in the Fetch standard. A body that cannot be decoded, or that exceeds the limits when it is, fails with `ERR_MESH_BODY`, and its connection
 * is closed.
 */
export function decodeBody(
  body: ResponseBody,
  contentEncoding: string | undefined,
  service: string,
  options: DecodeOptions = {},
): ResponseBody {
  if (contentEncoding === undefined) return body;
  const codings = contentEncoding
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "identity" && coding !== "");
  if (codings.length === 0) return body;
  if (codings.length > maxCodings || !codings.every((coding) => coding in decoders)) return body;
  return new DecodedBody(body, codings.reverse(), service, decodeOptions.settle(options));
}

/** `node:zlib`, which the first coded response loads. */
const zlib = () => process.getBuiltinModule("node:zlib");

const decoders: Readonly<Record<string, () => (first: Uint8Array) => Transform>> = Object.assign(Object.create(null), {
  gzip: () => () => zlib().createGunzip(),
  "x-gzip": () => () => zlib().createGunzip(),
  br: () => () => zlib().createBrotliDecompress(),
  zstd: () => () => zlib().createZstdDecompress(),
  // With the header of RFC 1950 or without it: servers disagree on what "deflate" means.
  deflate: () => (first: Uint8Array) => (((first[0] ?? 0) & 0x0f) === 8 ? zlib().createInflate() : zlib().createInflateRaw()),
});

class DecodedBody extends WrappedBody {
  readonly #codings: readonly string[];
  readonly #service: string;
  readonly #limits: DecodeLimits;

  constructor(inner: ResponseBody, codings: readonly string[], service: string, limits: DecodeLimits) {
    super(inner);
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
    // Called now and not at the first read, since the body has a reader from here on.
    const decoded = this.#decoded(this.inner.stream());
    const source: UnderlyingByteSource = {
      type: "bytes",
      pull: async (controller) => {
        const { done, value } = await decoded.next();
        if (!done) {
          controller.enqueue(new Uint8Array(value));
          return;
        }
        controller.close();
        controller.byobRequest?.respond(0);
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
        // The loop must not cancel the stream when it ends early: that is done below, with the reason.
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
    for (const coding of this.#codings) stages = through(stages, (decoders[coding] as () => (first: Uint8Array) => Transform)());
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

/** Removes one coding from a sequence of chunks, with backpressure. An empty body stays empty. */
async function* through(chunks: AsyncIterable<Uint8Array>, decoderFor: (first: Uint8Array) => Transform): AsyncGenerator<Uint8Array> {
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
  // The reader of the decoder sees its error; the promise must not reject unhandled as well.
  done.catch(() => {});
  yield* decoder as AsyncIterable<Uint8Array>;
  await done;
}

function isZlibError(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" && /^(Z_|ERR__?ERROR_FORMAT|ERR_BROTLI|ERR__|ZSTD_|ERR_ZSTD|ERR_PADDING)/.test(code);
}
