import type { Command } from "./command.ts";
import type { CommandEntry } from "./commands.ts";
import { exitCodeMeanings, exitCodes } from "./exit-codes.ts";
import { commonOptions, type OptionSpec } from "./option-table.ts";
import { wrapped } from "./terminal/wrap.ts";

/** Columns that a text beside a name has at least; with fewer it begins in the line below. */
const leastBeside = 36;

/** The text of `inmesh --help`, no line wider than `width`. */
export function overview(commands: ReadonlyMap<string, CommandEntry>, width: number): string {
  return [
    "Usage: inmesh COMMAND [OPTION]…",
    "",
    ...wrapped("The command line of inmesh, the client-side service mesh for Node.js.", width, ""),
    "",
    "Commands:",
    ...listOf(
      [...commands].map(([name, { summary }]) => [name, summary]),
      width,
    ),
    "",
    ...wrapped("inmesh COMMAND --help describes a command; inmesh --version prints the version.", width, ""),
  ].join("\n");
}

/** The text of `inmesh COMMAND --help`, no line wider than `width`. */
export function helpOf(name: string, { description, positionals, options, examples }: Command, width: number): string {
  const spellings = Object.entries({ ...options, ...commonOptions }).map(
    ([option, spec]) => [spellingOf(option, spec), unquoted(spec.help)] as const,
  );
  const codes = Object.entries(exitCodes).map(
    ([key, code]) => [String(code), unquoted(exitCodeMeanings[key as keyof typeof exitCodes])] as const,
  );
  return [
    ...wrapped(`Usage: inmesh ${[name, ...positionals, "[OPTION]…"].join(" ")}`, width, " ".repeat(7)),
    "",
    ...description.split("\n\n").flatMap((paragraph) => wrapped(paragraph.replaceAll("\n", " "), width, "")),
    "",
    "Options:",
    ...listOf(spellings, width),
    ...(examples.length === 0 ? [] : ["", "Examples:", ...examples.flatMap((example) => exampleLines(example, width))]),
    "",
    "Exit codes:",
    ...listOf(codes, width),
  ].join("\n");
}

/** `-o, --output FORMAT`, as the help and docs/reference/cli.md write it. */
export function spellingOf(name: string, { short, type, value = "VALUE" }: OptionSpec): string {
  return `${short === undefined ? "" : `-${short}, `}--${name}${type === "boolean" ? "" : ` ${value}`}`;
}

/** Names with their texts beside them, or below them where there is too little room. */
function listOf(rows: readonly (readonly [name: string, text: string])[], width: number): readonly string[] {
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  const start = nameWidth + 4;
  if (width - start >= leastBeside)
    return rows.flatMap(([name, text]) => wrapped(`  ${name.padEnd(nameWidth)}  ${text}`, width, " ".repeat(start)));
  return rows.flatMap(([name, text]) => [`  ${name}`, ...wrapped(`      ${text}`, width, " ".repeat(6))]);
}

/** A command to be copied: where it is too long it goes on behind a backslash, before an option. */
function exampleLines(example: string, width: number): readonly string[] {
  const [first = "", ...rest] = example.split(/ (?=-)/);
  const lines = [`  ${first}`];
  for (const part of rest) {
    const line = lines.at(-1) ?? "";
    // With room for a backslash.
    if (line.length + part.length + 3 <= width) lines[lines.length - 1] = `${line} ${part}`;
    else {
      lines[lines.length - 1] = `${line} \\`;
      lines.push(`    ${part}`);
    }
  }
  return lines;
}

/** Markdown's quotes are for docs/reference/cli.md. */
function unquoted(text: string): string {
  return text.replaceAll("`", "");
}
