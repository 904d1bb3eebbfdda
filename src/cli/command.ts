import type { Io } from "./io.ts";
import type { OptionTable, Values } from "./option-table.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** What a command is run with. */
export interface Call<Options extends OptionTable = OptionTable> {
  readonly values: Values<Options>;
  /** As many as the command names at least. */
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
  readonly io: Io;
}

/** A command of `inmesh`. */
export interface Command {
  /** A sentence, and perhaps more paragraphs. */
  readonly description: string;
  /** Arguments that are no options, such as `SERVICE`; one in brackets may be left out. */
  readonly positionals: readonly string[];
  readonly options: OptionTable;
  readonly examples: readonly string[];
  /** Resolves with the exit code. Rejects with a UsageError or with what went wrong. */
  readonly run: (call: Call) => Promise<number>;
}

/** Declares a command, its options typed by their table. */
export function command<const Options extends OptionTable>(
  definition: Omit<Command, "options" | "run"> & { readonly options: Options; readonly run: (call: Call<Options>) => Promise<number> },
): Command {
  return definition as unknown as Command;
}
