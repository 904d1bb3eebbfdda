import { Buffer } from "node:buffer";
import { compressedFlag, FrameFault, FrameReader } from "../../rpc/frames.ts";
import { decompress } from "./compression.ts";

/** A message in its place; `undefined` while it is decompressed. */
interface Place {
  message: Buffer | undefined;
}

/** The parts of {@link MessagesIn}. */
export interface MessagesInParts {
  /** Of a message, before and after it is decompressed; -1 = no limit. */
  readonly maxBytes: number;
  /** The compression that the head of the answer names. */
  readonly encoding: string | undefined;
  /** A message that was compressed is there, or does not decompress. */
  readonly onTurn: (fault: Error | undefined) => void;
}

/** The messages of an answer, in their order, from the bytes of its body. */
export class MessagesIn {
  readonly #parts: MessagesInParts;
  readonly #reader: FrameReader;
  readonly #places: Place[] = [];
  #bytes = 0;
  #busy = 0;

  constructor(parts: MessagesInParts) {
    this.#parts = parts;
    this.#reader = new FrameReader(parts.maxBytes === -1 ? Number.POSITIVE_INFINITY : parts.maxBytes);
  }

  /** Bytes of the messages that have come and were not read. */
  get byteLength(): number {
    return this.#bytes;
  }

  /** Whether a message is being decompressed. */
  get isBusy(): boolean {
    return this.#busy > 0;
  }

  get isEmpty(): boolean {
    return this.#places.length === 0;
  }

  /** @throws FrameFault for what is no frame, and for a message that is too large, as soon as its prefix is there. */
  read(chunk: Uint8Array): void {
    for (const { flags, data } of this.#reader.push(chunk)) {
      if (flags > compressedFlag) throw new FrameFault("form", `a message begins with the byte ${flags}, which is no flag of compression`);
      this.#take(Buffer.from(data.buffer, data.byteOffset, data.byteLength), flags === compressedFlag);
    }
  }

  /**
   * The body has ended.
   * @throws FrameFault where it has ended within a message.
   */
  end(): void {
    this.#reader.end();
  }

  /** The next message; `undefined` where none is there yet. */
  shift(): Buffer | undefined {
    const message = this.#places[0]?.message;
    if (message === undefined) return undefined;
    this.#places.shift();
    this.#bytes -= message.byteLength;
    return message;
  }

  /** Drops all messages. */
  clear(): void {
    this.#places.length = 0;
    this.#bytes = 0;
  }

  #take(message: Buffer, isCompressed: boolean): void {
    const place: Place = { message: isCompressed ? undefined : message };
    this.#places.push(place);
    if (!isCompressed) {
      this.#bytes += message.byteLength;
      return;
    }
    const { encoding, maxBytes, onTurn } = this.#parts;
    this.#busy++;
    decompress(message, encoding, maxBytes, (fault, result) => {
      this.#busy--;
      if (fault === null) {
        place.message = result;
        this.#bytes += result.byteLength;
      }
      onTurn(fault ?? undefined);
    });
  }
}
