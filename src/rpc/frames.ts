import { Buffer } from "node:buffer";

/** The bytes in front of each message: flags, and its length as a number of four bytes. */
export const prefixBytes = 5;

/** The flag of a message that is compressed, the same in gRPC, gRPC-Web and Connect. */
export const compressedFlag = 1;
/** The flag of the frame that ends a stream of Connect. */
export const endOfStreamFlag = 2;
/** The flag of the frame of gRPC-Web that has the trailers. */
export const trailersFlag = 128;

/** One frame: a message, or what a protocol has in its place. */
export interface Frame {
  readonly flags: number;
  readonly data: Uint8Array;
}

/** The fault of a peer in its frames. */
export class FrameFault extends Error {
  /** `size`: a frame is larger than its limit. `form`: the stream is none of frames, or has ended inside of one. */
  readonly kind: "size" | "form";

  constructor(kind: "size" | "form", message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The fault of a message that is larger than its limit. */
export function tooLarge(byteLength: number, maxBytes: number): FrameFault {
  return new FrameFault("size", `a message of ${byteLength} bytes is larger than the limit of ${maxBytes} bytes`);
}

/** Puts the prefix in front of a message. */
export function writeFrame(flags: number, data: Uint8Array): Buffer<ArrayBuffer> {
  const frame = Buffer.allocUnsafe(prefixBytes + data.byteLength);
  writePrefix(frame, flags, data.byteLength);
  frame.set(data, prefixBytes);
  return frame;
}

/** The message of bytes that are one frame whose message is not compressed; `undefined` for all others. */
export function onlyMessage(bytes: Uint8Array): Buffer | undefined {
  const length = bytes.byteLength - prefixBytes;
  if (length < 0 || bytes[0] !== 0) return undefined;
  const frame = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return frame.readUInt32BE(1) === length ? frame.subarray(prefixBytes) : undefined;
}

function writePrefix(frame: Uint8Array, flags: number, length: number): void {
  frame[0] = flags;
  frame[1] = length >>> 24;
  frame[2] = (length >>> 16) & 255;
  frame[3] = (length >>> 8) & 255;
  frame[4] = length & 255;
}

const none: Uint8Array = new Uint8Array(0);

/**
 * Takes a stream apart into frames. A frame is refused when its prefix says that it is larger than the limit, before its bytes have come: what is held of a
 * stream is at most one frame and one chunk.
 */
export class FrameReader {
  readonly #maxBytes: number;
  /** The bytes that have come and are in no frame yet. */
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** The length of the frame whose prefix has come. */
  #wanted: number | undefined = undefined;
  #flags = 0;

  /** @param maxBytes the largest frame, without its prefix */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes the next bytes. Returns the frames that are whole now, mostly none or one.
   * @throws FrameFault where a frame is too large.
   */
  push(chunk: Uint8Array): Frame[] {
    if (chunk.byteLength > 0) this.#chunks.push(chunk);
    this.#size += chunk.byteLength;
    const frames: Frame[] = [];
    for (;;) {
      if (this.#wanted === undefined) {
        if (this.#size < prefixBytes) return frames;
        this.#readPrefix(this.#take(prefixBytes));
      }
      const wanted = this.#wanted as unknown as number;
      if (this.#size < wanted) return frames;
      frames.push({ flags: this.#flags, data: this.#take(wanted) });
      this.#wanted = undefined;
    }
  }

  /**
   * The stream has ended.
   * @throws FrameFault where it has ended inside of a frame.
   */
  end(): void {
    if (this.#wanted !== undefined || this.#size > 0)
      throw new FrameFault("form", `the stream ends inside of a message: ${this.#size} of ${this.#wanted ?? prefixBytes} bytes have come`);
  }

  #readPrefix(prefix: Uint8Array): void {
    const [flags = 0, a = 0, b = 0, c = 0, d = 0] = prefix;
    const length = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
    if (length > this.#maxBytes) throw tooLarge(length, this.#maxBytes);
    this.#flags = flags;
    this.#wanted = length;
  }

  #take(count: number): Uint8Array {
    if (count === 0) return none;
    this.#size -= count;
    const first = this.#chunks[0] as Uint8Array;
    if (first.byteLength === count) {
      this.#chunks.shift();
      return first;
    }
    if (first.byteLength > count) {
      this.#chunks[0] = first.subarray(count);
      return first.subarray(0, count);
    }
    const taken = new Uint8Array(count);
    let at = 0;
    let index = 0;
    while (at < count) {
      const chunk = this.#chunks[index] as Uint8Array;
      const part = Math.min(chunk.byteLength, count - at);
      taken.set(part === chunk.byteLength ? chunk : chunk.subarray(0, part), at);
      at += part;
      if (part === chunk.byteLength) index++;
      else this.#chunks[index] = chunk.subarray(part);
    }
    this.#chunks.splice(0, index);
    return taken;
  }
}
