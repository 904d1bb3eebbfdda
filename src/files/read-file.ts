import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** How a file that others may write is read. */
export interface ReadFileOptions {
  /** Bytes that it may have. */
  readonly maxBytes: number;
  /** `false` refuses a symbolic link in the place of the file. Default `true`. */
  readonly follow?: boolean;
  /** `false` reads pipes and devices too, and waits for them: for files that the user of a command has named. Default `true`. */
  readonly regularOnly?: boolean;
  /** Throws where the file is not to be trusted. It is given what was opened, and not what has the name meanwhile. */
  readonly judge?: (stats: BigIntStats) => void;
}

const chunkBytes = 65_536;

/**
 * Reads a file, opened once: it is that which was opened which is judged and read, whatever is renamed into its place. A pipe does not hold a
 * thread of the pool for ever, a device does not fill the memory. Rejects with an Error that says why, or that of the file system.
 */
export async function readFileSafely(path: string, options: ReadFileOptions): Promise<Buffer> {
  const { maxBytes, follow = true, regularOnly = true, judge } = options;
  // Windows has neither flag, and neither pipes nor links in such places without privileges.
  const flags = constants.O_RDONLY | (follow ? 0 : (constants.O_NOFOLLOW ?? 0)) | (regularOnly ? (constants.O_NONBLOCK ?? 0) : 0);
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ELOOP" && !follow) throw new Error("it is a symbolic link", { cause: error });
    throw error;
  });
  try {
    const stats = await file.stat({ bigint: true });
    if (regularOnly && !stats.isFile()) throw new Error("it is not a regular file");
    if (stats.size > maxBytes) throw new Error(`it has ${stats.size} bytes; ${maxBytes} are allowed`);
    judge?.(stats);
    return await readUpTo(file, maxBytes);
  } finally {
    await file.close();
  }
}

/** Not by the size that was announced: a file may grow meanwhile, and those of `/proc` announce none. */
async function readUpTo(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, null);
    if (bytesRead === 0) return Buffer.concat(chunks, length);
    length += bytesRead;
    if (length > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}
