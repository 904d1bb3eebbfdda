import type { Command } from "./command.ts";
import type { CommandEntry } from "./commands.ts";
import { exitCodeMeanings, exitCodes } from "./exit-codes.ts";
import { commonOptions, type OptionSpec, type OptionTable } from "./option-table.ts";

/** The text of `inmesh --help`. */
export function overview(commands: ReadonlyMap<string, CommandEntry>): string {
  const width = Math.max(...[...commands.keys()].map((name) => name.length));
  return [
    "Usage: inmesh COMMAND [OPTION]…",
    "",
    "The command line of inmesh, the client-side service mesh for Node.js.",
    "",
    "Commands:",
    ...[...commands].map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "inmesh COMMAND --help describes a command; inmesh --version prints the version.",
  ].join("\n");
}

/** The text of `inmesh COMMAND --help`. */
export function helpOf(name: string, { description, positionals, options, examples }: Command): string {
  return [
    `Usage: inmesh ${[name, ...positionals, "[OPTION]…"].join(" ")}`,
    "",
    description,
    "",
    "Options:",
    ...linesOf({ ...options, ...commonOptions }),
    ...(examples.length === 0 ? [] : ["", "Examples:", ...examples.map((example) => `  ${example}`)]),
    "",
    "Exit codes:",
    ...Object.entries(exitCodes).map(
      ([key, code]) => `  ${String(code).padEnd(3)}  ${unquoted(exitCodeMeanings[key as keyof typeof exitCodes])}`,
    ),
  ].join("\n");
}

/** `-o, --output FORMAT`, as the help and docs/reference/cli.md write it. */
export function spellingOf(name: string, { short, type, value = "VALUE" }: OptionSpec): string {
  return `${short === undefined ? "" : `-${short}, `}--${name}${type === "boolean" ? "" : ` ${value}`}`;
}

function linesOf(options: OptionTable): readonly string[] {
  const rows = Object.entries(options).map(([name, spec]) => [spellingOf(name, spec), unquoted(spec.help)] as const);
  const width = Math.max(...rows.map(([spelling]) => spelling.length));
  return rows.map(([spelling, help]) => `  ${spelling.padEnd(width)}  ${help}`);
}

/** Markdown's quotes are for docs/reference/cli.md. */
function unquoted(text: string): string {
  return text.replaceAll("`", "");
}
