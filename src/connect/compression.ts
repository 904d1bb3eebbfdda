import { compressMessage, decompressMessage } from "../rpc/compression.ts";
import { FrameFault } from "../rpc/frames.ts";

/** The codings of messages, by the name that they have on the wire. */
export type CompressionName = "gzip" | "br";

/** The codings that are taken, in the form of the headers that say so. */
export const acceptedCompressions = "gzip,br";

/** Compresses a message. */
export function compress(name: CompressionName, bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) =>
    compressMessage(name, bytes, (error, result) => (error === null ? resolve(result) : reject(error))),
  );
}

/**
 * Decompresses a message. What it decodes to is given up at the limit, before more of it is in memory.
 * @throws FrameFault for a message that does not decode, decodes to more than `maxBytes`, or is in another coding.
 */
export function decompress(name: string | undefined, bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  if (name !== "gzip" && name !== "br") {
    const message =
      name === undefined || name === "identity"
        ? "a message is compressed, and no coding was named"
        : `a message has the coding ${name}, which was not asked for`;
    return Promise.reject(new FrameFault("form", message));
  }
  if (bytes.byteLength === 0) return Promise.resolve(bytes);
  return new Promise((resolve, reject) =>
    decompressMessage(name, bytes, maxBytes, (error, result) => (error === null ? resolve(result) : reject(error))),
  );
}
