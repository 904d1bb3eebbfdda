/** The units that options have. */
export type Unit = "ms" | "bytes" | "%";

/** What a table says of one option; `Value` is what it is with its default filled in. */
export interface OptionRule<out Value> {
  /** As documentation writes it: `number`, `true | false`, `"safe" | "idempotent"`. */
  readonly type: string;
  /** The value that holds where the option is absent. */
  readonly default: Value;
  /** Says what holds without the option, where `default` alone does not. */
  readonly defaultText?: string | undefined;
  /** `at least 1`, `0 to 1`; `undefined` where every value of the type is allowed. */
  readonly range?: string | undefined;
  readonly unit?: Unit | undefined;
  /** The options inside, where the value is an object with options. */
  readonly table?: { readonly rules: Readonly<Record<string, OptionRule<unknown>>> } | undefined;
  /**
   * Checks a value; `undefined` passes.
   * @throws TypeError or RangeError naming the option and the value.
   */
  check(option: string, value: unknown): void;
}
