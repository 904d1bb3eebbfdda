import { Buffer } from "node:buffer";
import { isUint8Array } from "node:util/types";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import type { SendProgress } from "../core/send-progress.ts";
import { CallerFault } from "./failure.ts";

/** The forms of a body that a pool takes. */
export type WireBody = string | Uint8Array | Blob | Pieces | BlobPieces | AsyncIterable<Uint8Array | string> | null;

/** More bytes than this are handed over in pieces of this size. */
const pieceBytes = 65_536;

/**
 * A large body, piece by piece. undici hands a body that it has whole to the socket at once, and takes it for sent: when the instance answers
 * before it has read all of it, the next request on the connection would wait behind the rest. Of an iterable it knows that it is not sent yet,
 * and closes the connection.
 */
export class Pieces implements Iterable<Uint8Array> {
  readonly byteLength: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.byteLength = bytes.byteLength;
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (let from = 0; from < this.byteLength; from += pieceBytes) yield this.#bytes.subarray(from, from + pieceBytes);
  }
}

/** A large `Blob`, piece by piece: undici would read it into memory whole. */
export class BlobPieces implements AsyncIterable<Uint8Array> {
  readonly byteLength: number;
  readonly #blob: Blob;

  constructor(blob: Blob) {
    this.#blob = blob;
    this.byteLength = blob.size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < this.byteLength; from += pieceBytes)
      yield new Uint8Array(await this.#blob.slice(from, from + pieceBytes).arrayBuffer());
  }
}

/**
 * The body for undici. A stream is wrapped: undici destroys the stream that it was given when an attempt is aborted, even one that never
 * started, and the same stream may be on its way to another instance by then.
 */
export function wireBody({ body, progress }: MeshRequest, clock: Clock): WireBody {
  const stream = typeof body === "function" ? streamOf(body) : body;
  if (stream === undefined) return null;
  if (typeof stream === "string") return stream.length > pieceBytes ? new Pieces(Buffer.from(stream)) : stream;
  if (isUint8Array(stream)) return stream.byteLength > pieceBytes ? new Pieces(stream) : stream;
  if (stream instanceof Blob && stream.size > pieceBytes) return new BlobPieces(stream);
  return isStream(stream) ? readOnce(stream, progress, clock) : stream;
}

function streamOf(body: () => AsyncIterable<Uint8Array | string>): AsyncIterable<Uint8Array | string> {
  try {
    const stream = body();
    if (isStream(stream)) return stream;
  } catch (cause) {
    throw new CallerFault("the function that makes the request body threw", { cause });
  }
  throw new CallerFault("the function that makes the request body did not return an async iterable");
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array | string> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body && !(body instanceof Blob);
}

async function* readOnce(
  stream: AsyncIterable<Uint8Array | string>,
  progress: SendProgress | undefined,
  clock: Clock,
): AsyncGenerator<Uint8Array | string> {
  try {
    progress?.source(true, clock.now());
    for await (const chunk of stream) {
      // undici would report a wrong chunk as a failed connection, which counts against the instance.
      if (typeof chunk !== "string" && !isUint8Array(chunk)) throw new TypeError("a chunk is neither a string nor a Uint8Array");
      progress?.source(false, clock.now());
      yield chunk;
      progress?.source(true, clock.now());
    }
    progress?.source(false, clock.now());
  } catch (cause) {
    throw new CallerFault("the request body could not be read", { cause });
  }
}
