import { parseArgs } from "node:util";
import { nearestName } from "../suggestions/nearest-name.ts";
import type { OptionSpec, OptionTable } from "./option-table.ts";
import { UsageError } from "./usage-error.ts";

/** The parsed arguments of a command. */
export interface Arguments {
  readonly values: Readonly<Record<string, string | boolean | readonly string[]>>;
  readonly positionals: readonly string[];
}

/**
 * Parses the arguments of a command.
 * @throws UsageError naming the option that is unknown, lacks its value or has a wrong one. Values that may be secrets are not quoted.
 */
export function readArguments(args: readonly string[], options: OptionTable): Arguments {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [name, { type, ...(short === undefined ? {} : { short }) }]),
  );
  // Not strict: the messages of `parseArgs` quote the value and suggest no option.
  const { tokens } = parseArgs({ args: [...args], options: config, strict: false, allowPositionals: true, tokens: true });
  const values: Record<string, string | boolean | string[]> = Object.create(null);
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const spec = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (spec === undefined) throw new UsageError(unknownOption(token.rawName, options));
    const value = readValue(token, spec);
    if (spec.multiple === true) values[token.name] = [...((values[token.name] as string[] | undefined) ?? []), value as string];
    else values[token.name] = value;
  }
  return { values, positionals };
}

function readValue(
  {
    rawName,
    value,
    inlineValue,
  }: { readonly rawName: string; readonly value?: string | undefined; readonly inlineValue?: boolean | undefined },
  { type, choices, value: placeholder = "VALUE" }: OptionSpec,
): string | boolean {
  if (type === "boolean") {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return true;
  }
  if (value === undefined || value === "") throw new UsageError(`${rawName} needs a value: ${rawName} ${placeholder}`);
  // Probably the next option, after a forgotten value.
  if (inlineValue !== true && value.startsWith("-") && value.length > 1)
    throw new UsageError(`${rawName} needs a value; one that begins with - is given as ${rawName}=${placeholder}`);
  if (choices !== undefined && !choices.includes(value))
    throw new UsageError(`${rawName} must be one of ${choices.join(", ")}, not ${JSON.stringify(value)}`);
  return value;
}

function unknownOption(rawName: string, options: OptionTable): string {
  // Other users of the machine can read command lines.
  if (rawName === "--token" && Object.hasOwn(options, "token-file"))
    return "a token is not given on the command line, where others see it: use --token-file FILE or CONSUL_HTTP_TOKEN";
  const nearest = rawName.startsWith("--") ? nearestName(rawName.slice(2), Object.keys(options)) : undefined;
  return `there is no option ${rawName}${nearest === undefined ? "" : `; did you mean --${nearest}?`}`;
}
