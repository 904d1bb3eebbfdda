import { type Coded, decompressMessage } from "../../rpc/compression.ts";
import { FrameFault } from "../../rpc/frames.ts";

/** The algorithms of compression of `@grpc/grpc-js`. */
export type Compression = "identity" | "deflate" | "gzip";

/**
 * Decompresses a message by the coding that the head of its answer names, to at most `maxBytes` (-1 = no limit).
 * @throws FrameFault where the head names none of those that grpc-js has.
 */
export function decompress(message: Uint8Array, by: string | undefined, maxBytes: number, told: Coded): void {
  if (by !== "gzip" && by !== "deflate") {
    const why = by === undefined || by === "identity" ? "its head names no compression" : "its compression is not known";
    throw new FrameFault("form", `a message is compressed, and ${why}`);
  }
  decompressMessage(by, message, maxBytes === -1 ? Number.POSITIVE_INFINITY : maxBytes, told);
}
