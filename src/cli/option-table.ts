/** One option of a command. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  /** The short name: one letter. */
  readonly short?: string;
  /** The option may be repeated. */
  readonly multiple?: boolean;
  /** Placeholder of the value in the help: `URL`. */
  readonly value?: string;
  /** The allowed values. */
  readonly choices?: readonly string[];
  /** A sentence for the help and for docs/reference/cli.md. */
  readonly help: string;
}

/** The options of a command by long name. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

type ValueOf<Spec extends OptionSpec> = Spec extends { readonly type: "boolean" }
  ? boolean
  : Spec extends { readonly multiple: true }
    ? readonly string[]
    : Spec extends { readonly choices: readonly (infer Choice)[] }
      ? Choice
      : string;

/** The given values of a table of options. */
export type Values<Options extends OptionTable> = { readonly [Name in keyof Options]?: ValueOf<Options[Name]> };

/** Options of every command. */
export const commonOptions = {
  help: { type: "boolean", short: "h", help: "Describes the command and its options." },
  color: {
    type: "string",
    value: "WHEN",
    choices: ["auto", "always", "never"],
    help: "Colours: `auto` (on a terminal, unless `NO_COLOR` is set, or everywhere with `FORCE_COLOR`), `always` or `never`.",
  },
} as const;

/** The option of commands with machine-readable results. */
export const formatOption = {
  output: {
    type: "string",
    short: "o",
    value: "FORMAT",
    choices: ["table", "wide", "json"],
    help: "`table`, `wide` (more columns, nothing cut off) or `json`.",
  },
} as const;
