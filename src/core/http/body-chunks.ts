import { Buffer } from "node:buffer";

/** The chunks of a body as text: "UTF-8 decode" of the Encoding standard, which drops a byte order mark. */
export function textOf(chunks: readonly Buffer[]): string {
  const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return bytes.toString("utf8", start);
}

/** The chunks of a body as one array, in memory of its own: chunks are parts of the socket's read buffers. */
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
 * Whether a chunk fills its memory. A byte stream detaches the memory of the chunks that it is given: a part of a socket's read buffer has to
 * be copied first, and so has a chunk after which undici is told to pause, since undici still reads it.
 */
export function ownsItsMemory(chunk: Buffer): boolean {
  return chunk.byteOffset === 0 && chunk.byteLength === chunk.buffer.byteLength;
}

/** Settles a promise with the converted chunks. Text that is too long for a string rejects, and does not throw into undici. */
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

/** The chunks of a body of which none has arrived. */
export const noChunks: readonly Buffer[] = [];
