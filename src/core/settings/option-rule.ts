/** The unit of an option. */
export type Unit = "ms" | "bytes" | "%";

/** The rule of one option in a table. `Value` is the type of the option with its default filled in. */
export interface OptionRule<out Value> {
  /** The type in the documentation: `number`, `true | false`, `"safe" | "idempotent"`. */
  readonly type: string;
  /** The value where the option is absent. */
  readonly default: Value;
  /** Describes the default in the documentation, where its value does not. */
  readonly defaultText?: string | undefined;
  /** The range in the documentation: `at least 1`, `0 to 1`; `undefined` where every value of the type is allowed. */
  readonly range?: string | undefined;
  readonly unit?: Unit | undefined;
  /** The table of the options in the value, where that is a group of options. */
  readonly table?: { readonly rules: Readonly<Record<string, OptionRule<unknown>>> } | undefined;
  /**
   * Checks a value; `undefined` passes.
   * @throws TypeError or RangeError naming the option and the value.
   */
  check(option: string, value: unknown): void;
}
