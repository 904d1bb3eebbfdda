import type { Io } from "./io.ts";
import type { OptionTable, Values } from "./option-table.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** The arguments of a command's run. */
export interface Call<Options extends OptionTable = OptionTable> {
  readonly values: Values<Options>;
  /** At least those that the command requires. */
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
  readonly io: Io;
}

/** A command of `inmesh`. */
export interface Command {
  /** A sentence, optionally more paragraphs. */
  readonly description: string;
  /** Positional arguments, such as `SERVICE`; one in brackets is optional. */
  readonly positionals: readonly string[];
  readonly options: OptionTable;
  readonly examples: readonly string[];
  /** Resolves with the exit code. Rejects with a UsageError, or with the error that ended the command. */
  readonly run: (call: Call) => Promise<number>;
}

/** Declares a command with options typed by their table. */
export function command<const Options extends OptionTable>(
  definition: Omit<Command, "options" | "run"> & { readonly options: Options; readonly run: (call: Call<Options>) => Promise<number> },
): Command {
  return definition as unknown as Command;
}
