import { describeError, isMeshError } from "../core/errors.ts";
import { nearestName } from "../suggestions/nearest-name.ts";
import { readArguments } from "./arguments.ts";
import { type CommandEntry, commands } from "./commands.ts";
import { exitCodes } from "./exit-codes.ts";
import { helpOf, overview } from "./help.ts";
import type { Io } from "./io.ts";
import { commonOptions } from "./option-table.ts";
import { type ColorChoice, type Format, Terminal } from "./terminal/terminal.ts";
import { UsageError } from "./usage-error.ts";
import { packageVersion } from "./version.ts";

/** Runs one command line (without the name of the program) and resolves with the exit code. Never rejects. */
export async function run(argv: readonly string[], io: Io, known: ReadonlyMap<string, CommandEntry> = commands): Promise<number> {
  let terminal = new Terminal(io, {});
  const [first, ...rest] = argv;
  try {
    if (first === undefined) {
      await terminal.text(overview(known, terminal.helpWidth), "stderr");
      return exitCodes.usage;
    }
    if (first === "--version" || first === "-V") {
      await terminal.line(packageVersion());
      return exitCodes.ok;
    }
    if (first === "--help" || first === "-h" || (first === "help" && rest.length === 0)) {
      await terminal.text(overview(known, terminal.helpWidth));
      return exitCodes.ok;
    }
    const isHelp = first === "help";
    const name = isHelp ? (rest[0] ?? "") : first;
    const entry = known.get(name);
    if (entry === undefined) throw new UsageError(unknownCommand(name, known));
    const { command } = await entry.load();
    if (isHelp) {
      await terminal.text(helpOf(name, command, terminal.helpWidth));
      return exitCodes.ok;
    }
    const { values, positionals } = readArguments(rest, { ...command.options, ...commonOptions });
    terminal = new Terminal(io, {
      format: values["output"] as Format | undefined,
      color: values["color"] as ColorChoice | undefined,
    });
    if (values["help"] === true) {
      await terminal.text(helpOf(name, command, terminal.helpWidth));
      return exitCodes.ok;
    }
    checkPositionals(name, command.positionals, positionals);
    const code = await command.run({ values: values as never, positionals, terminal, io });
    return io.signal.aborted ? codeOfSignal(io.signal.reason) : code;
  } catch (error) {
    terminal.progress();
    if (io.signal.aborted) return codeOfSignal(io.signal.reason);
    return report(error, terminal, known.has(first ?? "") ? `${first} ` : "");
  }
}

function report(error: unknown, terminal: Terminal, name: string): number {
  if (error instanceof UsageError) {
    terminal.note(`inmesh: ${error.message}`);
    terminal.note(`Try: inmesh ${name}--help`);
    return exitCodes.usage;
  }
  terminal.note(`inmesh: ${describeError(error)}`);
  return isMeshError(error) && error.code === "ERR_MESH_INVALID_TARGET" ? exitCodes.usage : exitCodes.failed;
}

function codeOfSignal(reason: unknown): number {
  if (reason === "EPIPE") return exitCodes.ok;
  return reason === "SIGTERM" ? exitCodes.terminated : exitCodes.interrupted;
}

function unknownCommand(name: string, known: ReadonlyMap<string, unknown>): string {
  if (name.startsWith("-")) return `an option comes behind the command: inmesh COMMAND ${name}`;
  const nearest = nearestName(name, [...known.keys()]);
  return `there is no command ${JSON.stringify(name)}${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
}

function checkPositionals(name: string, wanted: readonly string[], given: readonly string[]): void {
  const required = wanted.filter((each) => !each.startsWith("["));
  if (given.length < required.length) throw new UsageError(`${name} needs ${required.slice(given.length).join(" and ")}`);
  if (given.length > wanted.length) throw new UsageError(`${name} does not know what to do with ${JSON.stringify(given[wanted.length])}`);
}
