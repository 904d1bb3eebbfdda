import { checkFunction } from "../../../core/settings/checks.ts";
import { optionTable, type Settled } from "../../../core/settings/option-table.ts";
import { choice, custom } from "../../../core/settings/rules.ts";
import { pathRule } from "../path-rule.ts";

/** The load report; `load` in the options of `inbound`. */
export interface LoadOptions {
  /** Path that reports the load, as `prequal()` asks for it; `false`: none. @default "/.inmesh/load" */
  readonly path?: string | false;
  /**
   * When responses carry the report: where the request has `endpoint-load-metrics-format` (`text`, `json` or `bin`), always, or never.
   * `weighted({ by: "reported" })` needs `"always"`. @default "asked"
   */
  readonly header?: "asked" | "always" | "never";
  /**
   * The form of the report where the request asks for none: `"text"` and `"json"` in `endpoint-load-metrics`, `"bin"` in `endpoint-load-metrics-bin`, as
   * protobuf in base64. @default "text"
   */
  readonly format?: "text" | "json" | "bin";
  /** Named metrics of the program, at most 32, asked at most ten times a second for headers; what is no finite number is left out. @default none */
  readonly metrics?: () => Readonly<Record<string, number>>;
}

/** The rules of {@link LoadOptions}. */
export const loadOptions = optionTable<LoadOptions>()({
  path: pathRule("/.inmesh/load"),
  header: choice(["asked", "always", "never"], "asked"),
  format: choice(["text", "json", "bin"], "text"),
  metrics: custom<LoadOptions["metrics"]>({
    type: "() => Record<string, number>",
    default: undefined,
    defaultText: "none",
    check: checkFunction,
  }),
});

/** {@link LoadOptions} with the defaults filled in. */
export type LoadSettings = Settled<typeof loadOptions.rules>;
