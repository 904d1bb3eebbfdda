import type { Transform } from "node:stream";

/** Makes the decoder of a body, which may depend on its first chunk. */
export type MakeDecoder = (first: Uint8Array) => Transform;

/** `node:zlib`, loaded with the first response that is compressed. */
const zlib = () => process.getBuiltinModule("node:zlib");

/** The decoders by their names in `content-encoding`, in lower case. The object has no prototype, since names come from outside. */
export const decoders: Readonly<Record<string, MakeDecoder>> = Object.assign(Object.create(null), {
  gzip: () => zlib().createGunzip(),
  "x-gzip": () => zlib().createGunzip(),
  br: () => zlib().createBrotliDecompress(),
  zstd: () => zlib().createZstdDecompress(),
  // With the header of RFC 1950 or without it: servers disagree about the meaning of "deflate".
  deflate: (first: Uint8Array) => (((first[0] ?? 0) & 0x0f) === 8 ? zlib().createInflate() : zlib().createInflateRaw()),
});
