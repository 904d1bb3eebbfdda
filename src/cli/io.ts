import type { Readable, Writable } from "node:stream";

/** A stream that is written to, perhaps a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** A stream that keys come from, perhaps a terminal. */
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown };

/** Everything of the process that a command may touch. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin?: Input;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted with the name of the signal that ends the process, or with `EPIPE` when nobody reads any more. */
  readonly signal: AbortSignal;
}
