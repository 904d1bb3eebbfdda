/** The unit of an option. */
export type Unit = "ms" | "bytes" | "%";

/** Values that code makes and that a configuration in a file names: `picker: { ringHash: { … } }`. */
export type NamedKind = "picker" | "discovery" | "identity" | "limit" | "observers" | "hashKey" | "services";

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
  /** The least and the largest number, where the value may be one. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly isWhole?: boolean | undefined;
  /** Where the value may be an object that code makes: how a configuration in a file names it. */
  readonly named?: NamedKind | undefined;
  /**
   * The value of a service beside that of the mesh, where it does not replace that as a whole: of groups whose options protect, so that a service that says one of
   * them keeps the others.
   */
  over?(ofMesh: Value, ofService: Value): Value;
  /** Whether a mesh that runs takes another value (`mesh.reconfigure`). Of options in a group the group says it. */
  readonly atOnce?: boolean | undefined;
  /** The table of the options in the value, where that is a group of options. */
  readonly table?: { readonly rules: Readonly<Record<string, OptionRule<unknown>>> } | undefined;
  /** The rule of each element, where the value is a list. */
  readonly items?: OptionRule<unknown> | undefined;
  /** The rule of each value, where that is an object with names of others. */
  readonly values?: OptionRule<unknown> | undefined;
  /**
   * Checks a value; `undefined` passes.
   * @throws TypeError or RangeError naming the option and the value.
   */
  check(option: string, value: unknown): void;
}
