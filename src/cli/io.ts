import type { Readable, Writable } from "node:stream";

/** A writable stream, possibly a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** A readable stream, possibly a terminal. */
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };

/** The parts of the process that a command may use. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin?: Input;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted with the name of the signal that ends the process, or with `EPIPE` when the reader of stdout has gone. */
  readonly signal: AbortSignal;
}
