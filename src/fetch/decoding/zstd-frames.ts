/** The part of a frame that the next byte belongs to. */
type Part = "magic" | "skippable size" | "descriptor" | "header" | "block header" | "content" | "checksum" | "foreign";

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
/** Bytes of the frame content size, by the two highest bits of the descriptor. */
const contentSizeBytes = [0, 2, 4, 8];
const dictionaryBytes = [0, 1, 2, 4];

/**
 * Follows the frames of a zstd stream (RFC 8878 §3.1) without decoding them, to tell whether the last one is whole: the decoder of Node 22 takes
 * a stream that was cut off for one that has ended.
 */
export class ZstdFrames {
  #part: Part = "magic";
  /** Bytes that are left of the part. */
  #left = 4;
  /** The bytes of a part that is a number, read so far; little-endian. */
  #value = 0;
  #read = 0;
  #hasChecksum = false;
  #isLastBlock = false;

  /** Whether the bytes so far end with a frame, or with what is no frame. */
  get isWhole(): boolean {
    return this.#part === "foreign" || (this.#part === "magic" && this.#read === 0);
  }

  /** Takes the next bytes of the stream. */
  take(chunk: Uint8Array): void {
    for (let index = 0; index < chunk.length; ) {
      if (this.#part === "foreign") return;
      if (this.#part === "content" || this.#part === "header" || this.#part === "checksum") {
        const skipped = Math.min(this.#left, chunk.length - index);
        this.#left -= skipped;
        index += skipped;
      } else {
        this.#value += (chunk[index] as number) * 2 ** (8 * this.#read);
        this.#read++;
        this.#left--;
        index++;
      }
      while (this.#left === 0) this.#next();
    }
  }

  #enter(part: Part, bytes: number): void {
    this.#part = part;
    this.#left = bytes;
    this.#value = 0;
    this.#read = 0;
  }

  /** A part has ended. */
  #next(): void {
    const value = this.#value;
    switch (this.#part) {
      case "magic":
        if (value === frameMagic) this.#enter("descriptor", 1);
        else if (value - (value % 16) === skippableMagic) this.#enter("skippable size", 4);
        else this.#enter("foreign", 1);
        return;
      case "skippable size":
        this.#isLastBlock = true;
        this.#hasChecksum = false;
        this.#enter("content", value);
        return;
      case "descriptor":
        this.#enter("header", headerBytes(value));
        this.#hasChecksum = (value & 4) !== 0;
        return;
      case "header":
        this.#enter("block header", 3);
        return;
      case "block header": {
        this.#isLastBlock = (value & 1) !== 0;
        const size = value >> 3;
        // A block of one repeated byte has that byte alone.
        this.#enter("content", ((value >> 1) & 3) === 1 ? 1 : size);
        return;
      }
      case "content":
        if (!this.#isLastBlock) this.#enter("block header", 3);
        else if (this.#hasChecksum) this.#enter("checksum", 4);
        else this.#enter("magic", 4);
        return;
      default:
        this.#enter("magic", 4);
    }
  }
}

/** Bytes of the frame header behind its descriptor. */
function headerBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const contentSize = sizeFlag === 0 && isSingleSegment ? 1 : (contentSizeBytes[sizeFlag] as number);
  return (isSingleSegment ? 0 : 1) + (dictionaryBytes[descriptor & 3] as number) + contentSize;
}
