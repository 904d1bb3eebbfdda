/** One option of a command. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  /** One letter. */
  readonly short?: string;
  /** It may be given more than once. */
  readonly multiple?: boolean;
  /** What its value is, in the help: `URL`. */
  readonly value?: string;
  /** The words that it may be. */
  readonly choices?: readonly string[];
  /** A sentence for the help and for docs/reference/cli.md. */
  readonly help: string;
}

/** The options of a command by their long names. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

type ValueOf<Spec extends OptionSpec> = Spec extends { readonly type: "boolean" }
  ? boolean
  : Spec extends { readonly multiple: true }
    ? readonly string[]
    : Spec extends { readonly choices: readonly (infer Choice)[] }
      ? Choice
      : string;

/** What was given of the options of a table. */
export type Values<Options extends OptionTable> = { readonly [Name in keyof Options]?: ValueOf<Options[Name]> };

/** Options that every command has. */
export const commonOptions = {
  help: { type: "boolean", short: "h", help: "Says what the command does and which options it has." },
  color: {
    type: "string",
    value: "WHEN",
    choices: ["auto", "always", "never"],
    help: "Colours: `auto` (on a terminal, unless `NO_COLOR` is set, or everywhere with `FORCE_COLOR`), `always` or `never`.",
  },
} as const;

/** The option of commands whose results can be read by programs. */
export const formatOption = {
  output: {
    type: "string",
    short: "o",
    value: "FORMAT",
    choices: ["table", "wide", "json"],
    help: "`table`, `wide` (more columns, nothing cut off) or `json`.",
  },
} as const;
