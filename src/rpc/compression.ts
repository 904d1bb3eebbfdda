import type { Buffer } from "node:buffer";
import { brotliCompress, brotliDecompress, deflate, gunzip, gzip, inflate } from "node:zlib";
import { FrameFault } from "./frames.ts";

/** The codings of messages, by the name that they have on the wire. */
export type MessageCoding = "gzip" | "deflate" | "br";

/** Told of the result, in a later turn. */
export type Coded = (error: Error | null, result: Buffer) => void;

const codings = {
  gzip: { compress: gzip, decompress: gunzip },
  deflate: { compress: deflate, decompress: inflate },
  br: { compress: brotliCompress, decompress: brotliDecompress },
} as const;

/** Compresses a message. */
export function compressMessage(coding: MessageCoding, message: Uint8Array, told: Coded): void {
  codings[coding].compress(message, told);
}

/**
 * Decompresses a message. One that decodes to more than `maxBytes` is given up when it has grown to that, before more of it is in memory.
 * The error is a FrameFault: of size, or of form for a message that does not decode.
 */
export function decompressMessage(coding: MessageCoding, message: Uint8Array, maxBytes: number, told: Coded): void {
  const decompress = codings[coding].decompress as (input: Uint8Array, options: { maxOutputLength?: number }, told: Coded) => void;
  const options = Number.isFinite(maxBytes) ? { maxOutputLength: Math.max(1, maxBytes) } : {};
  decompress(message, options, (error, result) => {
    if (error === null) told(null, result);
    else if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") {
      const why = `a message of ${message.byteLength} bytes decodes to more than is allowed: over ${maxBytes} bytes once it is decompressed`;
      told(new FrameFault("size", why), result);
    } else told(new FrameFault("form", `a message does not decode as ${coding}`), result);
  });
}
