import type { Transform } from "node:stream";
import type { UnderlyingByteSource } from "node:stream/web";
import { MeshError, type MeshErrorDetails } from "../../core/errors.ts";
import type { ResponseBody } from "../../core/http/body.ts";
import { bytesOf } from "../../core/http/body-chunks.ts";
import { endByteStream } from "../../core/http/byte-stream.ts";
import { WrappedBody } from "../../core/http/wrapped-body.ts";
import { type DecodedCall, DecodeGuard } from "./decode-guard.ts";
import type { DecodeLimits } from "./decode-options.ts";
import { stage } from "./stage.ts";

/** Decoded bytes from which on the ratio is checked: the first bytes of many bodies compress better than the rest. */
const ratioFromBytes = 2 ** 20;

/** A body whose readers get its decoded bytes. It closes with the body on the wire. */
export class DecodedBody extends WrappedBody {
  readonly #codings: readonly string[];
  readonly #service: string;
  readonly #limits: DecodeLimits;
  readonly #call: DecodedCall | undefined;

  constructor(wire: ResponseBody, codings: readonly string[], service: string, limits: DecodeLimits, call: DecodedCall | undefined) {
    super(wire);
    this.#call = call;
    this.#codings = codings;
    this.#service = service;
    this.#limits = limits;
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const { maxBytes } = this.#limits;
    for await (const chunk of this.#decoded(this.inner.stream("collect"))) {
      size += chunk.byteLength;
      if (maxBytes !== false && size > maxBytes) throw this.#refuse(`it is larger than ${maxBytes} bytes (maxCollectedBytes)`);
      chunks.push(chunk);
    }
    return bytesOf(chunks);
  }

  stream(purpose?: "collect"): ReadableStream<Uint8Array<ArrayBuffer>> {
    // Here, and not at the first read: the body has a reader from now on.
    const decoded = this.#decoded(this.inner.stream(purpose));
    const source: UnderlyingByteSource = {
      type: "bytes",
      pull: async (controller) => {
        const { done, value } = await decoded.next();
        if (done) endByteStream(controller, undefined);
        else controller.enqueue(new Uint8Array(value));
      },
      cancel: async (reason) => {
        this.content?.settle(undefined);
        this.inner.cancel(reason);
        await decoded.return(undefined);
      },
    };
    return new ReadableStream(source) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  async *#decoded(wire: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    const guard = new DecodeGuard(this.inner, this.#service, this.#call);
    const decoders: Transform[] = [];
    const input = new WireChunks(wire);
    let stages: AsyncIterable<Uint8Array> = input.chunks();
    for (const coding of this.#codings) {
      const decoded = stage(stages, coding, (decoder) => decoders.push(decoder));
      // Each coding is looked at: one may swallow what another has made.
      stages = this.#bounded(decoded, input);
    }
    const iterator = stages[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await guard.step(iterator.next());
        if (done) return;
        yield value;
      }
    } catch (error) {
      // Streams wrap some errors, and lose reasons that are no errors.
      if (input.broken !== undefined) throw input.broken.error;
      if (error instanceof MeshError || !isZlibError(error)) throw error;
      throw this.#malformed(error);
    } finally {
      guard.end();
      this.content?.settle(undefined);
      for (const decoder of decoders) decoder.destroy();
      this.inner.cancel();
    }
  }

  async *#bounded(decoded: AsyncIterable<Uint8Array>, input: WireChunks): AsyncGenerator<Uint8Array> {
    let produced = 0;
    for await (const chunk of decoded) {
      produced += chunk.byteLength;
      if (produced > ratioFromBytes && produced > input.received * this.#limits.maxRatio)
        throw this.#refuse(`it grows more than ${this.#limits.maxRatio}-fold when it is decoded`);
      yield chunk;
    }
  }

  /** Gives up a body that is larger than it may be, which says nothing of the instance: the error has no attempts. */
  #refuse(why: string): MeshError {
    const error = this.#error(why, {});
    this.content?.settle(undefined, error);
    return this.#giveUp(error);
  }

  #malformed(cause: unknown): MeshError {
    const error = this.#error("it does not decode", { attempts: [...(this.#call?.attempts ?? [])], cause });
    this.content?.settle(error);
    return this.#giveUp(error);
  }

  #error(why: string, details: MeshErrorDetails): MeshError {
    const codings = [...this.#codings].reverse().join(", ");
    const message = `the ${codings} body of a response of "${this.#service}" is refused: ${why}`;
    return new MeshError("ERR_MESH_BODY", message, { service: this.#service, maybeExecuted: true, ...details });
  }

  #giveUp(error: MeshError): MeshError {
    this.inner.cancel(error);
    return error;
  }
}

/** The chunks of a body as they come over the wire. */
class WireChunks {
  readonly #wire: ReadableStream<Uint8Array>;
  received = 0;
  /** The error with which the body failed. */
  broken: { readonly error: unknown } | undefined = undefined;

  constructor(wire: ReadableStream<Uint8Array>) {
    this.#wire = wire;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      // A decoder that stops early must not cancel the body, which is cancelled with its reason.
      for await (const chunk of this.#wire.values({ preventCancel: true })) {
        this.received += chunk.byteLength;
        yield chunk;
      }
    } catch (error) {
      this.broken = { error };
      throw error instanceof Error ? error : new Error("the body was given up");
    }
  }
}

function isZlibError(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" && /^(Z_|ERR__?ERROR_FORMAT|ERR_BROTLI|ERR__|ZSTD_|ERR_ZSTD|ERR_PADDING)/.test(code);
}
