import { appendFile } from "node:fs/promises";
import type { WriteLines } from "./log-writer.ts";

/** Appends to a file; opened anew for each write, so that a file that was moved away by a rotation is not written to for ever. */
export function toFile(path: string): WriteLines {
  return (lines) => appendFile(path, lines, { mode: 0o640 });
}

/**
 * Writes to the standard output, and waits until it has been taken: Node.js keeps what the reader of a pipe does not read in its memory, without a bound. Not
 * by a thread of the file system, which waits for that reader too, and holds up the end of the process.
 */
export function toStandardOutput({ stdout }: { readonly stdout: NodeJS.WritableStream }): WriteLines {
  return (lines) =>
    new Promise((resolve, reject) => {
      // The end of its reader is no reason to end this process, as an error without a listener is.
      stdout.on("error", ignore);
      stdout.write(lines, (error) => {
        setImmediate(() => stdout.off("error", ignore));
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
}

function ignore(): void {}
