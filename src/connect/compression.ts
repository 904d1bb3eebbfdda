import { brotliCompress, brotliDecompress, gunzip, gzip } from "node:zlib";
import { FrameFault } from "../rpc/frames.ts";

/** The codings of messages, by the name that they have on the wire. */
export type CompressionName = "gzip" | "br";

/** The codings that are taken, in the form of the headers that say so. */
export const acceptedCompressions = "gzip,br";

type Done = (error: Error | null, result: Uint8Array) => void;

/** Compresses a message. */
export function compress(name: CompressionName, bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const done: Done = (error, result) => (error === null ? resolve(result) : reject(error));
    if (name === "gzip") gzip(bytes, done);
    else brotliCompress(bytes, done);
  });
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
  return new Promise((resolve, reject) => {
    const done: Done = (error, result) => {
      if (error === null) resolve(result);
      else if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE")
        reject(
          new FrameFault("size", `a message of ${bytes.byteLength} compressed bytes decodes to more than the limit of ${maxBytes} bytes`),
        );
      else reject(new FrameFault("form", `a message does not decode as ${name}`));
    };
    if (name === "gzip") gunzip(bytes, { maxOutputLength: maxBytes }, done);
    else brotliDecompress(bytes, { maxOutputLength: maxBytes }, done);
  });
}
