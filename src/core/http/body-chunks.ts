import { Buffer } from "node:buffer";

/** Chunks of a body as text: the Fetch standard's "UTF-8 decode", which drops a byte order mark. */
export function textOf(chunks: readonly Buffer[]): string {
  const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return bytes.toString("utf8", start);
}

/** Chunks of a body in memory of their own: they are parts of the socket's read buffers. */
export function bytesOf(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/**
 * Whether a chunk is all there is in its memory. A byte stream takes the memory it is given away, so a part of a socket's read buffer
 * has to be copied; and undici still looks at a chunk after which it is told to pause.
 */
export function ownsItsMemory(chunk: Buffer): boolean {
  return chunk.byteOffset === 0 && chunk.byteLength === chunk.buffer.byteLength;
}

/** Settles a promise with what `convert` makes of the chunks: text that is too long for a string must not throw into undici. */
export function settleWith<Content>(
  convert: (chunks: readonly Buffer[]) => Content,
  chunks: readonly Buffer[],
  resolve: (content: Content) => void,
  reject: (error: unknown) => void,
): void {
  try {
    resolve(convert(chunks));
  } catch (error) {
    reject(error);
  }
}

/** For what has none yet. */
export const noChunks: readonly Buffer[] = [];
