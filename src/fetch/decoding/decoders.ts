import type { Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from "node:zlib";

/** Makes the decoder of a body, which may depend on its first chunk. */
export type MakeDecoder = (first: Uint8Array) => Transform;

/** The decoders by their names in `content-encoding`, in lower case. The object has no prototype, since names come from outside. */
export const decoders: Readonly<Record<string, MakeDecoder>> = Object.assign(Object.create(null), {
  gzip: () => createGunzip(),
  "x-gzip": () => createGunzip(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
  // With the header of RFC 1950 or without it: servers disagree about the meaning of "deflate".
  deflate: (first: Uint8Array) => (((first[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw()),
});
