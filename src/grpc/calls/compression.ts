import type { Buffer } from "node:buffer";
import type { InputType, ZlibOptions } from "node:zlib";
import { FrameFault } from "../../rpc/frames.ts";

/** The algorithms of compression. */
export type Compression = "identity" | "deflate" | "gzip";

/** Told of the result, in a later turn. */
type Told = (error: Error | null, result: Buffer) => void;

/** Node makes dear parts of the module when it is loaded: only calls with compression load it. */
function zlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}

/** Compresses a message. */
export function compress(message: Uint8Array, by: Compression, told: Told): void {
  const { deflate, gzip } = zlib();
  (by === "gzip" ? gzip : deflate)(message, told);
}

/** Decompresses a message, whose result is no larger than `maxBytes` (-1 = no limit): a bomb is given up when it has grown to that. */
export function decompress(message: Uint8Array, by: string | undefined, maxBytes: number, told: Told): void {
  const { inflate, gunzip } = zlib();
  const way: ((input: InputType, options: ZlibOptions, callback: Told) => void) | undefined =
    by === "gzip" ? gunzip : by === "deflate" ? inflate : undefined;
  if (way === undefined) {
    const why = by === undefined || by === "identity" ? "its head names no compression" : "its compression is not known";
    throw new FrameFault("form", `a message is compressed, and ${why}`);
  }
  way(message, maxBytes === -1 ? {} : { maxOutputLength: Math.max(1, maxBytes) }, (error, result) => {
    if (error === null) told(null, result);
    else if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE")
      told(new FrameFault("size", `a message is larger than the limit of ${maxBytes} bytes once it is decompressed`), result);
    else told(new FrameFault("form", `a message does not decompress by ${by}: ${error.message}`), result);
  });
}
