import { Buffer } from "node:buffer";
import type { CallEndListener, MeshRequest } from "../../core/dispatch.ts";
import type { RequestBody } from "../../core/http/body.ts";

type Chunk = Uint8Array | string;

/** Takes the bytes of a body that was read to its end: `undefined` for more than were kept, or for a body that nothing has read to its end. */
export interface BodyTaker {
  bodyRead(bytes: Uint8Array | undefined, omission: "body-size" | "body-unread"): void;
}

/** The bytes of a body that is known whole; `undefined` for a stream. */
export function knownLength(body: RequestBody): number | undefined {
  if (body === undefined) return 0;
  if (typeof body === "string") return Buffer.byteLength(body);
  if (body instanceof Blob) return body.size;
  return ArrayBuffer.isView(body) ? body.byteLength : undefined;
}

/**
 * A stream as the body of a call, of which a copy is kept while it goes out, up to a number of bytes. The call reads it as before: nothing is read for the copy,
 * and nothing waits for it.
 */
export class CopiedBody implements CallEndListener {
  /** The body for the call. */
  readonly body: RequestBody;
  readonly #maxBytes: number;
  #taker: BodyTaker | undefined;
  #chunks: Uint8Array[] = [];
  #length = 0;
  /** The stream whose chunks are kept: of several that a function makes, the newest. */
  #source: object | undefined = undefined;

  constructor({ body, call }: MeshRequest, maxBytes: number, taker: BodyTaker) {
    this.#maxBytes = maxBytes;
    this.#taker = taker;
    if (typeof body === "function") {
      this.body = () => {
        const made = body();
        // The transport tells what is wrong with it.
        return isStream(made) ? this.#kept(made) : made;
      };
    } else this.body = this.#kept(body as AsyncIterable<Chunk>);
    // At the end of the call nothing reads the rest.
    if (call?.onEnd(this) === false) this.handleCallEnd();
  }

  handleCallEnd(): void {
    this.#settle(undefined, "body-unread");
  }

  #kept(stream: AsyncIterable<Chunk>): AsyncIterable<Chunk> {
    const begin = (source: object) => this.#begin(source);
    const keep = (source: object, chunk: Chunk) => this.#keep(source, chunk);
    const end = (source: object) => this.#end(source);
    return {
      [Symbol.asyncIterator]() {
        const iterator = stream[Symbol.asyncIterator]();
        begin(iterator);
        return {
          async next() {
            const result = await iterator.next();
            if (result.done) end(iterator);
            else keep(iterator, result.value);
            return result;
          },
          async return(value: unknown) {
            return (await iterator.return?.(value)) ?? { done: true, value };
          },
        };
      },
    };
  }

  #begin(source: object): void {
    this.#source = source;
    this.#chunks = [];
    this.#length = 0;
  }

  #keep(source: object, chunk: Chunk): void {
    if (source !== this.#source || this.#taker === undefined || (typeof chunk !== "string" && !ArrayBuffer.isView(chunk))) return;
    this.#length += Buffer.byteLength(chunk);
    if (this.#length > this.#maxBytes) this.#settle(undefined, "body-size");
    // In memory of its own: what gives the chunk may use its memory again.
    else this.#chunks.push(Buffer.from(chunk as Uint8Array));
  }

  #end(source: object): void {
    if (source === this.#source) this.#settle(Buffer.concat(this.#chunks), "body-unread");
  }

  #settle(bytes: Uint8Array | undefined, omission: "body-size" | "body-unread"): void {
    const taker = this.#taker;
    this.#taker = undefined;
    this.#chunks = [];
    taker?.bodyRead(bytes, omission);
  }
}

function isStream(value: unknown): value is AsyncIterable<Chunk> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
